"""`make demo-llm` as it stands, and what its kept data show on the page's API."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.dashboard.margins import MarginFiles
from tallystick.data.specs import known_specs
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE

API = "/api/v1"


def play(data: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tallystick.demo.language"],
        cwd=ROOT,
        env=os.environ | {"DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
        check=False,
    )


def test_story__kept__honest_answers_final_and_audited_the_cheats_rejected(tmp_path: Path) -> None:
    data = tmp_path / "story"

    told = play(data)

    assert told.returncode == 0, told.stderr + told.stdout
    assert "Events and contract agree" in told.stdout
    files = MarginFiles([data / "margins.jsonl"])
    app = create_app(Live(data), specs=known_specs(data / "specs"), margins=files)
    with TestClient(app) as client:
        (network,) = client.get(f"{API}/networks").json()["rows"]
        base = f"{API}/networks/{network['chain_id']}/{network['core']}/{network['network_id']}"
        (evidence,) = rows(client, f"{base}/evidence")
        batches = rows(client, f"{base}/batches")
        margins = rows(client, f"{base}/margins")
    assert (network["committed"], network["audited"], network["rejected"]) == (8, 4, 4)
    assert (evidence["kind"], evidence["audited"]) == ("tolerance", 4)
    assert {one["state"] for one in batches} == {"final", "rejected"}
    honest, cheat = sorted(margins, key=lambda one: float(one["mean"]))
    assert (honest["answers"], honest["wrong"], honest["mismatches"]) == (4, 0, 0)
    assert cheat["answers"] == 4 and cheat["wrong"] and cheat["mismatches"]
    again = play(data)
    assert again.returncode == 1 and "is not empty" in again.stderr


def rows(client: TestClient, path: str) -> Any:
    return client.get(path).json()["rows"]
