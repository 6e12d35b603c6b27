"""tallystick backup, tallystick restore: a node's data folder."""

import sqlite3
from dataclasses import asdict
from pathlib import Path

import click

from tallystick.cli.bars import bar
from tallystick.cli.command import ConsoleCommand
from tallystick.cli.output import show

folder_type = click.Path(file_okay=False, path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command(cls=ConsoleCommand, example="tallystick backup node monday")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=folder_type)
@json_option
def backup(folder: Path, target: Path, as_json: bool) -> None:
    """Copy a node's data folder to TARGET, a new folder, while the node runs.

    Keys are not in it: Ape keeps them in its own folder.
    """
    from tallystick.storage.backup import BackupError, back_up

    try:
        with bar("backup (files)") as progress:
            copied = back_up(folder, target, progress)
    except sqlite3.Error as error:
        raise BackupError(f"{folder} cannot be read: {error}") from error
    show({"backup": str(target), **asdict(copied)}, as_json)


@click.command(cls=ConsoleCommand, example="tallystick restore monday node-again")
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=folder_type)
@json_option
def restore(backup: Path, folder: Path, as_json: bool) -> None:
    """Put a BACKUP into FOLDER, new or empty, once each file is what it was."""
    from tallystick.storage.backup import restore as run

    with bar("restore (files)") as progress:
        copied = run(backup, folder, progress)
    show({"restored": str(folder), **asdict(copied)}, as_json)
