"""Pages name what exists: links, headings, paths, modules.

links       to a file, to a heading of a file
names       paths from the root; modules and what they hold; every page, the root's included
outside     no page, comment or docstring points to what a reader of this tree does not have
"""

import importlib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

import tallystick

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
PACKAGES = sorted(path.parent.name for path in Path(tallystick.__path__[0]).glob("*/__init__.py"))
FOLDERS = (".ci", "contracts", "docs", "scripts", "src", "tests", "tools")

LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(
    rf"(?<![\w./~<>…-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*\w/?(?![\w{{-])"
)
DOTTED = re.compile(rf"(?<![\w./-])(?:tallystick|{'|'.join(PACKAGES)})(?:\.\w+)+(?![\w(/-])")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
FILE_ENDINGS = {
    "csv", "json", "md", "onnx", "parquet", "py", "qi8", "sh", "sqlite3", "toml", "yaml",
}  # fmt: skip
OUTSIDE = re.compile(r"\b(?:DESI" r"GN|HOU" r"SE|STY" r"LE|TOOL" r"CHAIN)(?:\.md)?\b|/wor" r"k/")


def texts() -> list[Path]:
    """Every text that people write in this tree, but those of others."""
    kinds = {".py", ".sol", ".md", ".js", ".html", ".css", ".yaml", ".toml"}
    found = [path for path in ROOT.iterdir() if path.suffix in kinds or path.name == "Makefile"]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    others = {"vendor", "node_modules"}
    return sorted(path for path in found if not others & set(path.parts))


@cache
def headings(page: Path) -> frozenset[str]:
    """Anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in found)


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or is held by one."""
    parts = name.removeprefix("tallystick.").split(".")
    module = "tallystick"
    # Found, not imported: some take seconds.
    while parts and is_package(module) and find_spec(f"{module}.{parts[0]}") is not None:
        module = f"{module}.{parts.pop(0)}"
    if not parts:
        return True
    value: object = importlib.import_module(module)
    for part in parts:
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def is_package(module: str) -> bool:
    """Whether a module holds others."""
    spec = find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


def missing_links(page: Path) -> list[str]:
    """Relative links of a page that lead nowhere."""
    missing = []
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (heading and heading not in headings(target)):
            missing.append(link)
    return missing


def missing_paths(text: str) -> list[str]:
    """Paths from the root that are not there; `*` stands for any name."""
    return [path for path in PATH.findall(text) if not list(ROOT.glob(path.rstrip("/")))]


def missing_names(text: str) -> list[str]:
    """Dotted names in code that are not there."""
    names = {name for code in CODE.findall(text) for name in DOTTED.findall(code)}
    named = {name for name in names if name.split(".")[-1] not in FILE_ENDINGS}
    return sorted(name for name in named if not is_there(name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links__page__lead_somewhere(page: Path) -> None:
    assert missing_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths__page__exist(page: Path) -> None:
    assert missing_paths(page.read_text()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules__page__exist(page: Path) -> None:
    assert missing_names(page.read_text()) == []


def test_architecture__every_package__is_named() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()

    assert [name for name in PACKAGES if f"{name}/" not in text and name != "abi"] == []


def test_decisions__index__names_each_record_once() -> None:
    folder = ROOT / "docs" / "decisions"

    listed = LINK.findall((folder / "README.md").read_text())

    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_texts__whole_tree__point_to_nothing_outside() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match}"
        for path in texts()
        for match in OUTSIDE.findall(path.read_text())
    }

    assert found == set()


def test_names__sources__exist() -> None:
    missing = {}
    for path in texts():
        text = path.read_text()
        found = missing_paths(text)
        # Tests name what is not there, on purpose.
        if path.suffix == ".py" and not path.is_relative_to(ROOT / "tests"):
            named = set(re.findall(r"(?<![\w./-])tallystick(?:\.\w+)+", text))
            kept = {name for name in named if name.split(".")[-1] not in FILE_ENDINGS}
            found += [name for name in kept if not is_there(name)]
        if found and path != Path(__file__):
            missing[str(path.relative_to(ROOT))] = found

    assert missing == {}


def test_missing__what_is_not_there__is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](#a-heading) [b](page.md#b) [c](other.md) [d](https://d.org/x)"
    )

    assert missing_links(page) == ["page.md#b", "other.md"]
    assert missing_paths("src/tallystick/hub/, tests/unit/ and tools/no.py") == [
        "src/tallystick/hub/",
        "tools/no.py",
    ]
    assert missing_names(
        "`tallystick.hub`, `protocol.merkle.Tree`, `node.yaml`, `chain.no`, `chain.abi.No`"
    ) == [
        "chain.abi.No",
        "chain.no",
        "tallystick.hub",
    ]
