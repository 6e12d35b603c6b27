"""All commands of `tallystick` and `ape tallystick`, and their examples."""

import shlex
from collections.abc import Iterator
from typing import NamedTuple

import click

from tallystick.ape.main import cli as ape_tallystick
from tallystick.cli.main import main as tallystick

ROOTS: dict[tuple[str, ...], click.Group] = {
    ("tallystick",): tallystick,
    ("ape", "tallystick"): ape_tallystick,
}


class Named(NamedTuple):
    """A command under its whole name."""

    name: str
    """Such as `ape tallystick network create`."""
    command: click.Command

    @property
    def example(self) -> str:
        return str(getattr(self.command, "example", ""))


def every_command() -> list[Named]:
    """Each command and group, once; what both groups have under `tallystick`."""
    found: dict[int, Named] = {}
    for words, root in ROOTS.items():
        for named in _below(" ".join(words), root):
            found.setdefault(id(named.command), named)
    return list(found.values())


def _below(name: str, command: click.Command) -> Iterator[Named]:
    yield Named(name, command)
    if isinstance(command, click.Group):
        for part in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), part)
            assert found is not None, f"{name} {part}"
            yield from _below(f"{name} {part}", found)


class Line(NamedTuple):
    """A line of a shell: variables, words, and the file that takes the output."""

    variables: dict[str, str]
    words: list[str]
    output: str | None

    @classmethod
    def of(cls, text: str) -> "Line":
        words, output, variables = shlex.split(text), None, {}
        if ">" in words:
            place = words.index(">")
            words, output = words[:place], words[place + 1]
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        return cls(variables, words, output)

    @property
    def root(self) -> tuple[click.Group, list[str]]:
        """The group that it is of, and the words behind the group's name."""
        for name, group in ROOTS.items():
            if tuple(self.words[: len(name)]) == name:
                return group, self.words[len(name) :]
        raise AssertionError(f"{self.words} is no command of ours")

    def command(self) -> click.Command:
        """The command that it names."""
        found, words = self.root
        current: click.Command = found
        while isinstance(current, click.Group) and words:
            under = current.get_command(click.Context(current), words.pop(0))
            assert under is not None, self.words
            current = under
        return current
