"""Every command's help: it ends with an example, which is one of that command."""

import click
import pytest
from click.testing import CliRunner

from tests.support.commands import Line, Named, every_command

COMMANDS = every_command()


@pytest.mark.parametrize("named", COMMANDS, ids=lambda named: named.name)
def test_help__every_command__ends_with_an_example(named: Named) -> None:
    shown = CliRunner().invoke(named.command, ["--help"], prog_name=named.name)

    assert shown.exit_code == 0
    *_, heading, last = shown.stdout.rstrip().splitlines()
    assert heading == "Example:"
    assert last.strip() == named.example


@pytest.mark.parametrize("named", COMMANDS, ids=lambda named: named.name)
def test_example__every_command__is_of_the_command(named: Named) -> None:
    shown = Line.of(named.example).command()

    if isinstance(named.command, click.Group):
        below = {id(one.command) for one in COMMANDS if one.name.startswith(named.name)}
        with click.Context(named.command) as ctx:
            own = named.command.list_commands(ctx)
        assert id(shown) in below or shown.name in own
    else:
        assert shown is named.command


def test_every_command__sends__is_under_ape_only() -> None:
    for named in COMMANDS:
        options = {option for param in named.command.params for option in param.opts}
        if {"--network", "--account", "--dry-run"} <= options and "--rpc" not in options:
            assert named.name.startswith("ape tallystick ")
