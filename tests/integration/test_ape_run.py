"""The scripts under `ape run` itself, on a chain where nothing is deployed."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.chain.localnet import localnet
from tests.support.builds import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def ape_run(tmp_path: Path) -> Iterator[Run]:
    environment = os.environ | {"TALLYSTICK_DEPLOYMENTS": str(tmp_path)}
    environment.pop("TALLYSTICK_REGISTRY", None)
    with localnet() as w3:
        network = f"ethereum:local:{w3.provider.endpoint_uri}"  # type: ignore[attr-defined]

        def run(*args: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                ["ape", "run", *args, "--network", network],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
            )

        yield run


def test_deploy__twice_and_a_committee__records_both(ape_run: Run, tmp_path: Path) -> None:
    committee = tmp_path / "committee.yaml"
    committee.write_text(
        "threshold: 1\nmin_drawn: 3\nseed_delay: 2\nexit_delay: 86400\nmin_stake: 1000\n"
        'members:\n- account: "0x' + "11" * 20 + '"\n'
    )

    first = json.loads(ape_run("deploy", "--account", "TEST::0", "--json").stdout)
    second = json.loads(ape_run("deploy", "--account", "TEST::0", "--json").stdout)
    third = ape_run("deploy", "--committee", str(committee), "--account", "TEST::0", "--json")

    assert (first["new"], second["new"]) == (True, False)
    assert first["address"] == second["address"]
    assert json.loads(third.stdout)["new"] is True
    recorded = json.loads((tmp_path / "31337.json").read_text())["deployments"]
    assert [entry["name"] for entry in recorded] == ["Tallystick", "Committee"]


def test_tally__nothing_deployed__one_line_and_exit_code_1(ape_run: Run) -> None:
    done = ape_run("tally", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no Tallystick is recorded")
    assert "Traceback" not in done.stderr


def test_stake__amount_missing__is_a_usage_error(ape_run: Run) -> None:
    done = ape_run("stake", "deposit", "0x" + "11" * 32)

    assert done.returncode == 2
    assert "Missing argument 'AMOUNT'" in done.stderr
