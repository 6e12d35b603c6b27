"""What the Makefile's targets ask for before they run."""

import subprocess

import pytest

from tests.support.builds import ROOT


@pytest.mark.parametrize(
    "target", ["unit", "test", "test-nodes", "test-pages", "stress", "prove", "mutants", "fuzz"]
)
def test_make__contracts_changed__compiles_before_it_tests(target: str) -> None:
    line = ["make", "--dry-run", "--what-if=ape-config.yaml", target]

    planned = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "ape compile" in planned
