"""`make demo-zk` as it stands: each kind of evidence counted, and what the page's data say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tallystick.dashboard.app import create_app
from tallystick.dashboard.live import Live
from tallystick.zk.srs import LOCAL_CAUTION
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE

COUNTS = {"proven": 8, "audited": 60, "enclave": 40, "unchallenged": 2}


def play(**variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tallystick.demo.proofs"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


def network_of(data: Path) -> Any:
    with TestClient(create_app(Live(data))) as client:
        (network,) = client.get("/api/v1/networks").json()["rows"]
    return network


def test_story__kept__each_kind_is_counted_and_the_forgery_refused(tmp_path: Path) -> None:
    data = tmp_path / "story"

    told = play(DATA=str(data), JSON="1")

    assert told.returncode == 0, told.stderr
    network, *kinds = [json.loads(line) for line in told.stdout.splitlines()]
    assert {name: network[name] for name in COUNTS} == COUNTS
    assert (network["committed"], network["verified"]) == (110, 108)
    assert (network["open"], network["rejected"], network["unresolved"]) == (0, 0, 0)
    assert {one["evidence"]: one["inferences"] for one in kinds} == COUNTS
    assert {one["evidence"]: one["from_events"] for one in kinds} == COUNTS
    assert network["gas"] == sum(one["gas"] for one in kinds)
    assert "dan: an altered answer under the proof of the right one; refused: ProofRefused(" in (
        told.stderr
    )
    assert "refused: ProvenUnchallengeable(" in told.stderr
    assert LOCAL_CAUTION in told.stderr
    shown = network_of(data)
    assert {name: shown[name] for name in COUNTS} == COUNTS
    cautions = {(one["about"], one["code"]): one["reason"] for one in shown["cautions"]}
    assert "can forge its proofs" in cautions["proven", "setup"]
    assert "self-declared" in cautions["proven", "resolvers"]
    assert ("enclave", "endorsers") in cautions
    again = play(DATA=str(data))
    assert again.returncode == 1 and "is not empty" in again.stderr
