"""`zk prove` killed by kill -9, between proofs and inside one: what is there stays, and holds."""

import json
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from tallystick.protocol.record import InferenceRecord
from tallystick.storage.record_files import read_records
from tallystick.zk.proofs import ProofFolder
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE
from tests.zk.conftest import LIMITS, Proven
from tests.zk.digits import images
from tests.zk.processes import children, proving

COMMAND = [sys.executable, "-c", "from tallystick.cli.main import main; main()", "zk"]
COUNT = 5


class Prove:
    """The command, in a process of its own."""

    def __init__(self, proven: Proven, records: Path, folder: Path) -> None:
        words = [str(proven.model.folder), str(records), "--proofs", str(folder), "--json"]
        self.process = subprocess.Popen(
            [*COMMAND, "prove", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def kill(self) -> None:
        """kill -9; waits until its EZKL is gone with it."""
        those = children(self.process.pid)
        self.process.kill()
        self.process.wait()
        end = monotonic() + PATIENCE
        while those & set(proving()):
            assert monotonic() < end
            sleep(0.05)


@pytest.fixture
def records(proven: Proven, tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    np.save(tmp_path / "inputs.npy", images()[:COUNT])
    words = [str(proven.model.folder), str(tmp_path / "inputs.npy"), "--out", str(path)]
    subprocess.run([*COMMAND, "answer", *words], cwd=ROOT, check=True, capture_output=True)
    return path


def test_prove__killed_between_and_inside_proofs__goes_on_and_takes_no_half(
    proven: Proven, records: Path, tmp_path: Path
) -> None:
    choose, proofs = random.Random(3), tmp_path / "proofs"
    folder, read = ProofFolder(proofs, proven.model), read_records(records)
    made: dict[Path, bytes] = {}
    for inside in (True, False, True):
        run = Prove(proven, records, proofs)
        end = monotonic() + PATIENCE
        while not (children(run.process.pid) if inside else len(whole(folder, read)) > len(made)):
            assert monotonic() < end and run.process.poll() is None
            sleep(0.01)
        sleep(choose.uniform(0, 0.5) if inside else 0)
        run.kill()
        # Under its own name a proof is whole, and holds; nothing that was there is made again.
        now = whole(folder, read)
        assert made.items() <= now.items()
        made = now
    assert 0 < len(made) < COUNT

    last = Prove(proven, records, proofs)
    out, error = last.process.communicate(timeout=PATIENCE)

    assert last.process.returncode == 0, error
    told = json.loads(out)
    assert (told["proven"], told["made"]) == (COUNT, COUNT - len(made))
    assert made.items() <= whole(folder, read).items()
    for record in read:
        folder.check(record, LIMITS)


def whole(folder: ProofFolder, read: list[InferenceRecord]) -> dict[Path, bytes]:
    """The proofs that are there, each by its file."""
    found = {}
    for record in read:
        with suppress(FileNotFoundError):
            found[folder.path(record)] = folder.path(record).read_bytes()
            assert folder.get(record)
    return found
