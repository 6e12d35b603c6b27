"""Examples in the docstrings of tallystick.probe run."""

import doctest
import importlib
import pkgutil

from tallystick import probe


def test_doctest__probe_modules__examples_hold() -> None:
    modules = [
        importlib.import_module(f"tallystick.probe.{module.name}")
        for module in pkgutil.iter_modules(probe.__path__)
    ]

    results = [doctest.testmod(module) for module in modules]

    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) >= 10
