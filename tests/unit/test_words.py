"""One word for one thing: retired words stay away, and docstrings begin with a noun or a verb."""

import ast
import re
from pathlib import Path

import pytest

import tallystick
from tests.unit.test_pages import ROOT, texts

RETIRED = {
    "committee": "jury",
    "committee member": "juror",
    "ActionError": "MoveError",
    "quantize": "quantis",
    "import batch": "parcel",
    "demand responder": "keeper",
    "budget": "purse",
    "request handler": "desk",
    "registry": "the core",
}
"""By the word that took its place; "board" and the like are parts of other words."""
OPENING = re.compile(r"(?:What|Whether|How|Where|Who|Whoever|Whose|When|Why|Which|Of|As)\b")


def opening_faults(path: Path) -> list[str]:
    """Docstrings of a file that begin with a question or a preposition."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            if OPENING.match(first):
                found.append(f"{path.name}, {getattr(node, 'name', 'module')}: {first}")
    return found


@pytest.mark.parametrize("word", RETIRED.values(), ids=RETIRED.keys())
def test_retired_word__whole_tree__is_gone(word: str) -> None:
    pattern = re.compile(
        rf"(?<![A-Za-z]){word}|_{word}|(?<=[a-z]){word.capitalize()}", re.IGNORECASE
    )

    found = {
        str(path.relative_to(ROOT))
        for path in texts()
        if path != Path(__file__)
        and (pattern.search(path.read_text()) or pattern.search(path.name))
    }

    assert found == set()


def test_docstrings__library__begin_with_a_noun_or_a_verb() -> None:
    found = [
        fault
        for path in sorted(Path(tallystick.__path__[0]).rglob("*.py"))
        for fault in opening_faults(path)
    ]

    assert found == []


def test_opening_faults__question__is_named(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""What this does."""\n\n\nclass Kind:\n    """The kind of a step."""\n')

    assert opening_faults(path) == ["module.py, module: What this does."]


def test_glossary__terms__are_sorted_and_told_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()

    terms = [
        row.split(" | ")[0].removeprefix("| ")
        for row in text.split("| --- | --- |\n")[1].splitlines()
    ]

    assert terms == sorted(set(terms), key=str.lower)
