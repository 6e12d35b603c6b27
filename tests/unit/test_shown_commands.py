"""Command lines on the pages: each names a command that is there, by options that it has."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from tests.support.builds import ROOT
from tests.support.commands import Line

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
_SHOWN = re.compile(r"^(?:\$ |    )((?:ape )?tallystick .*)$", re.M)


class Shown(NamedTuple):
    """A line of a page."""

    page: Path
    text: str


def lines() -> Iterator[Shown]:
    for page in PAGES:
        for text in _SHOWN.findall(page.read_text()):
            words = shlex.split(text, comments=True)
            # Lists of commands set their purpose off by two spaces.
            yield Shown(page, shlex.join(words) if "  " not in text.split("#")[0].strip() else "")


LINES = [one for one in lines() if one.text]


def faults(text: str) -> list[str]:
    """What a command line names that is not there."""
    line = Line.of(text)
    command = line.command()
    if isinstance(command, click.Group):
        return [f"{text}: no command, a group"]
    known = {option for param in command.params for option in param.opts} | {"--help"}
    return [word for word in line.words if word.startswith("--") and word not in known]


def test_pages__pool__shows_commands() -> None:
    assert len([one for one in LINES if one.page.name == "pool.md"]) > 10


@pytest.mark.parametrize("shown", LINES, ids=lambda one: f"{one.page.name}: {one.text[:60]}")
def test_line__on_a_page__is_of_a_command(shown: Shown) -> None:
    assert faults(shown.text) == []


def test_faults__unknown_option__is_named() -> None:
    assert faults("tallystick pool show $POOL --if 0x") == ["--if"]
