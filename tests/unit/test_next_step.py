"""The command that each move names as the next one: it is there, and takes what it is given."""

import shlex

import click
import pytest

from tallystick.ape.next_step import NEXT, next_step
from tests.support.commands import Line, Named, every_command

GIVEN = {
    "batch": b"\x0b" * 32,
    "network_id": b"\x0c" * 32,
    "operator": b"\x0d" * 20,
    "pool": b"\x0e" * 20,
    "committee": b"\x0f" * 20,
}


def sends(named: Named) -> bool:
    options = {option for param in named.command.params for option in param.opts}
    return {"--account", "--dry-run", "--network"} <= options and "--rpc" not in options


MOVES = {
    one.name.removeprefix("ape tallystick "): one
    for one in every_command()
    if one.name.startswith("ape ") and not one.name.startswith("ape tallystick node") and sends(one)
}


def test_moves__each__has_a_next_step() -> None:
    assert sorted(NEXT) == sorted(MOVES)


@pytest.mark.parametrize("name", sorted(NEXT))
def test_next__each__is_a_command_that_takes_what_it_is_given(name: str) -> None:
    text = next_step(name, GIVEN)

    assert text is not None
    group, words = Line.of(text).root
    command = Line.of(text).command()
    assert isinstance(group, click.Group) and not isinstance(command, click.Group)
    own = words[words.index(str(command.name)) + 1 :] if command.name in words else words[1:]
    command.make_context(str(command.name), own)


@pytest.mark.parametrize("name", sorted(NEXT))
def test_next__what_it_needs__its_move_is_given_or_shows(name: str) -> None:
    needed = {key for key in GIVEN if f"{{{key}}}" in NEXT[name]}
    given = {param.name for param in MOVES[name].command.params}

    assert needed - given <= ({"network_id"} if name == "network create" else set())


def test_next__what_is_given__is_quoted() -> None:
    text = next_step("attest", {"batch": "a b; rm -rf"})

    assert text is not None and shlex.split(text) == ["tallystick", "batch", "a b; rm -rf"]


def test_next__value_that_lacks__none() -> None:
    assert next_step("attest", {}) is None
    assert next_step("unheard of", GIVEN) is None
