"""The guides of docs/: each begins with a command, and shows only commands that tests run.

A command of a guide is the example of its own `--help`; these are run as they stand by
tests/integration/examples and, of language models, by tests/llm/client/test_guide.py.
"""

import re
from pathlib import Path

import pytest

from tests.support.builds import ROOT
from tests.support.commands import every_command

GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
SHOWN = re.compile(r"^    (.+)$", re.MULTILINE)
EXAMPLES = {one.example for one in every_command()}


def of(page: Path) -> list[str]:
    return SHOWN.findall(page.read_text())


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide__each_command__is_an_example_that_is_run(page: Path) -> None:
    assert [line for line in of(page) if line not in EXAMPLES] == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide__first_of_all__is_a_command(page: Path) -> None:
    _, after = page.read_text().split("\n", 1)

    assert after.lstrip("\n").startswith("    ")


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide__is_in_the_site_and_on_its_first_page(page: Path) -> None:
    link = f"guides/{page.name}"

    assert link in (ROOT / "tools/site/mkdocs.yml").read_text()
    assert f"]({link})" in (ROOT / "docs/index.md").read_text()


def test_guides__users__are_six() -> None:
    assert len(GUIDES) == 6


def test_first_page__what_it_shows__is_the_demo() -> None:
    assert of(ROOT / "docs/index.md") == ["make demo"]
