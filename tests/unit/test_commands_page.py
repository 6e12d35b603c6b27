"""docs/commands.md is what the commands say."""

import runpy

from tests.support.builds import ROOT
from tests.support.commands import every_command

TOOL = runpy.run_path(str(ROOT / "tools/commands_page.py"))


def test_page__commands_as_they_are__is_up_to_date() -> None:
    assert (ROOT / "docs/commands.md").read_text() == TOOL["page"](), (
        "run `python tools/commands_page.py`"
    )


def test_page__every_command__is_there_once() -> None:
    page = TOOL["page"]()

    for named in every_command():
        if not hasattr(named.command, "commands"):
            assert page.count(f"### {named.name}\n") == 1, named.name
