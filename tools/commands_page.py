"""Write docs/commands.md from the commands themselves; a test compares."""

import inspect
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from tallystick.ape.main import cli as ape_tallystick
from tallystick.cli.main import main as tallystick

PAGE = Path(__file__).parent.parent / "docs/commands.md"
HEAD = """# Commands

Written by `python tools/commands_page.py` from the commands themselves. `tallystick` sends no
transaction and needs no Ape; `ape tallystick` has all that sends, and beside it what reads the
chain. In an example, $NETWORK, $MODEL, $BATCH and the like stand for ids, $RPC for a node's URL.
Amounts and durations may have a unit ([docs/files.md](files.md)): `0.001 ether`, `1h`.

A failure is one line on stderr and exit code 1; a wrong use of a command has 2; a bug of ours has
70, and TALLYSTICK_DEBUG=1 shows where it is. `--json` prints JSON on stdout, whatever else is told
goes to stderr.
"""
SHARED = ("rpcs", "network", "account", "registry", "more_rpcs", "as_json", "dry_run")
"""Parameters that are told once, where a command has them as the others do."""


def page() -> str:
    """Return the page's text."""
    parts = [HEAD, "## Options that many commands have\n", _table(_shared())]
    seen: set[int] = set()
    for name, root in (("tallystick", tallystick), ("ape tallystick", ape_tallystick)):
        parts.append(f"## {name}\n\n{_help(root)}\n")
        for whole, command in _below(name, root):
            if id(command) in seen:
                continue
            seen.add(id(command))
            parts.append(_section(whole, command))
    return "\n".join(parts)


def _below(name: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for part in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), part)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _below(f"{name} {part}", command)
        else:
            yield f"{name} {part}", command


def _section(name: str, command: click.Command) -> str:
    own = [param for param in _options(command) if not _is_shared(param)]
    shared = [f"`{param.opts[0]}`" for param in _options(command) if _is_shared(param)]
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    usage = " ".join([name, *(param.make_metavar() for param in arguments)])
    parts = [f"### {name}\n", _help(command) + "\n", f"    {usage}\n"]
    if own:
        parts.append(_table(own))
    if shared:
        parts.append(f"And {', '.join(shared)}.\n")
    parts.append(f"    {getattr(command, 'example', '')}\n")
    return "\n".join(parts)


def _help(command: click.Command) -> str:
    text = inspect.cleandoc(command.help or "")
    blocks = []
    for block in text.split("\n\n"):
        if block.startswith("\b\n"):
            blocks.append("\n".join(f"    {line}" for line in block[2:].splitlines()))
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def _options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


@cache
def _shared() -> list[click.Option]:
    found: dict[str, click.Option] = {}
    for _, command in _below("", ape_tallystick):
        for param in _options(command):
            if param.name in SHARED:
                found.setdefault(str(param.name), param)
    return [found[name] for name in SHARED if name in found]


def _is_shared(param: click.Option) -> bool:
    return any(one.name == param.name and one.help == param.help for one in _shared())


def _table(options: list[click.Option]) -> str:
    rows = ["| option | what |", "| --- | --- |"]
    for option in options:
        metavar = "" if option.is_flag else f" {option.make_metavar()}"
        notes = []
        if option.required:
            notes.append("needed")
        if option.show_default and option.default is not None:
            notes.append(f"default {option.default}")
        if isinstance(option.envvar, str):
            notes.append(option.envvar)
        told = (option.help or "") + (f" [{'; '.join(notes)}]" if notes else "")
        cells = f"`{', '.join(option.opts)}{metavar}`", told
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE, file=sys.stderr)
