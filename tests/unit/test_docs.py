"""Examples in docstrings run, and the modules that promise to be pure are."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import tallystick

PROTOCOL = tuple(
    f"tallystick.protocol.{module.name}"
    for module in pkgutil.iter_modules(importlib.import_module("tallystick.protocol").__path__)
)
STORAGE = ("tallystick.storage.batch_store", "tallystick.storage.record_files")
MODULES = tuple(module.name for module in pkgutil.walk_packages(tallystick.__path__, "tallystick."))


@pytest.mark.parametrize("name", MODULES)
def test_doctest__module__examples_hold(name: str) -> None:
    module = importlib.import_module(name)

    assert doctest.testmod(module).failed == 0


def test_doctest__protocol__holds_examples() -> None:
    finder = doctest.DocTestFinder()

    examples = sum(
        len(found.examples)
        for name in PROTOCOL
        for found in finder.find(importlib.import_module(name))
    )

    assert examples > 40


@pytest.mark.parametrize(
    ("modules", "absent"),
    [(PROTOCOL, ("ape", "web3", "fsspec", "pyarrow")), (STORAGE, ("ape", "web3"))],
)
def test_import__packages_below_the_chain__need_nothing_of_it(
    modules: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    imports = "; ".join(f"import {name}" for name in modules)
    code = f"import sys; {imports}; print(sorted({set(absent)} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "[]"


def test_import__command__needs_no_ape() -> None:
    code = "import sys, tallystick.cli.main, tallystick.data.analysis; print('ape' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.decode().strip() == "False"


HEAVY = ("ape", "click", "eth_account", "fsspec", "httpx", "numpy", "pyarrow", "pydantic", "web3")


def test_import__package_alone__loads_nothing() -> None:
    """Not by the clock, which a busy machine slows: by what is loaded beyond a bare interpreter."""
    code = (
        "import sys, typing, importlib; before = set(sys.modules); import tallystick; "
        "print(len(set(sys.modules) - before)); "
        f"print(sorted({set(HEAVY)} & set(sys.modules) - before)); dir(tallystick); "
        "print(sorted(name for name in sys.modules if name.startswith('tallystick.')))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    number, heavy, own = loaded.stdout.decode().splitlines()
    assert (number, heavy, own) == ("1", "[]", "['tallystick.errors']")


def test_public_names__all__are_there_and_typed() -> None:
    """What is loaded lazily is what type checkers are told."""
    tree = ast.parse(inspect.getsource(tallystick))
    told = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }

    assert told == {name: f"tallystick.{home}" for name, home in tallystick._HOME_OF.items()}
    assert all(getattr(tallystick, name).__name__ == name for name in told)
