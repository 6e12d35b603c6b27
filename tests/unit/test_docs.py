"""Examples in docstrings run, and the modules that promise to be pure are."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import tallystick

PURE = (
    "arrange",
    "batch",
    "draw",
    "eip712",
    "enclave",
    "enums",
    "errors",
    "events",
    "hexes",
    "inference",
    "keccak",
    "ledger",
    "network",
    "opening",
    "opengradient_item",
    "progress",
    "receipt",
    "record",
    "records",
    "signature",
    "store",
    "totals.counters",
    "tree",
    "words",
)
TOP = tuple(module.name for module in pkgutil.iter_modules(tallystick.__path__) if not module.ispkg)


@pytest.mark.parametrize("name", TOP)
def test_doctest__module__examples_hold(name: str) -> None:
    module = importlib.import_module(f"tallystick.{name}")

    assert doctest.testmod(module).failed == 0


def test_doctest__pure_modules__hold_examples() -> None:
    finder = doctest.DocTestFinder()

    examples = sum(
        len(found.examples)
        for name in PURE
        for found in finder.find(importlib.import_module(f"tallystick.{name}"))
    )

    assert examples > 40


def test_import__pure_modules__need_neither_ape_nor_web3() -> None:
    imports = "; ".join(f"import tallystick.{name}" for name in PURE)
    code = f"import sys; {imports}; print(sorted({{'ape', 'web3'}} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "[]"


def test_import__console__needs_no_ape() -> None:
    code = "import sys, tallystick.console.main, tallystick.analysis; print('ape' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "False"
