"""Files that break what reads them: noted before they are tried, and left alone afterwards.

files      of a process that ended, of one that lives, of a parser that broke; later
verifier   goes on, counts the batch's data as withheld, and does not read them at its next start
"""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tallystick.node.verifier import tried
from tallystick.node.verifier.findings import FindingKind
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.protocol.enums import Grade, State
from tallystick.storage.batch_parser import FilePutOffError, ParserBrokenError
from tests.node.verifier.stage import VERIFIERS, Stage, rounds
from tests.support.nested_parquet import nested
from tests.support.story import Committed

FILE, OTHER = b"f" * 32, b"o" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


def kept_file(staged: Stage, batch: Committed) -> Path:
    return staged.store / f"{batch.batch.root.hex()}.parquet"


def died_on(path: Path, again_after: float = tried.AGAIN_AFTER, digest: bytes = FILE) -> None:
    """Have a process begin a file, and end."""
    script = (
        "import os, pathlib, sys\n"
        "from tallystick.node.verifier import tried\n"
        f"tried.AGAIN_AFTER = {again_after}\n"
        "from tallystick.node.verifier.journal import VerifierJournal\n"
        "VerifierJournal(pathlib.Path(sys.argv[1])).tried.begin(bytes.fromhex(sys.argv[2]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(path), digest.hex()]
    assert subprocess.run(command, check=False).returncode == -9


def test_begin__process_ended_on_it__not_tried_at_the_next_start(path: Path) -> None:
    died_on(path)

    files = VerifierJournal(path).tried
    with pytest.raises(FilePutOffError, match="for 600 s: this node ended while it was read"):
        files.begin(FILE)
    files.begin(OTHER)


def test_begin__later__again_but_not_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(tried.MOST):
        died_on(path, again_after=0.0)
    monkeypatch.setattr(tried, "AGAIN_AFTER", 0.0)

    with pytest.raises(ParserBrokenError, match="this node ended while it was read, 3 times"):
        VerifierJournal(path).tried.begin(FILE)


def test_begin__somebody_reads_it_now__nothing_against_it(path: Path) -> None:
    files = VerifierJournal(path).tried
    files.begin(FILE)
    files.begin(FILE)

    script = (
        "import pathlib, sys\n"
        "from tallystick.node.verifier.journal import VerifierJournal\n"
        "VerifierJournal(pathlib.Path(sys.argv[1])).tried.begin(b'o' * 32)\n"
        "print('begun', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "begun\n"
        files.begin(OTHER)


def test_end__broke_the_parser__said_again_and_good_ones_are_forgotten(path: Path) -> None:
    files = VerifierJournal(path).tried
    for file, broken in ((FILE, "it was ended by SIGSEGV"), (OTHER, "")):
        files.begin(file)
        files.end(file, broken)

    again = VerifierJournal(path).tried
    with pytest.raises(ParserBrokenError, match="for 600 s: it was ended by SIGSEGV"):
        again.begin(FILE)
    again.begin(OTHER)


def test_tick__file_that_breaks_the_parser__withheld_and_never_good(staged: Stage) -> None:
    bad, good = staged.commit(30), staged.commit(20)
    kept_file(staged, bad).write_bytes(nested(80_000))
    staged.seeded()
    first, second = (staged.verifier(number, look_every=60.0) for number in VERIFIERS[:2])

    rounds(first, second)

    found = first.journal.finding(bad.id)
    assert found is not None
    assert found.kind == FindingKind.WITHHELD
    assert "was ended by SIGSEGV" in found.note
    assert staged.record(bad).state is State.DISPUTED
    assert staged.record(good).grade is Grade.AUDITED

    restarted = staged.verifier(VERIFIERS[0])
    rounds(restarted)
    found = restarted.journal.finding(bad.id)
    assert found is not None
    assert "not tried again" in found.note


def test_tick__node_ended_on_an_honest_file__neither_good_nor_demanded_until_it_is_read(
    staged: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = staged.commit(30)
    staged.seeded()
    verifier = staged.verifier()
    died_on(
        verifier.journal._file.path, digest=sha256(kept_file(staged, batch).read_bytes()).digest()
    )

    rounds(verifier)
    assert verifier.journal.finding(batch.id) is None
    assert verifier.journal.made() == []

    monkeypatch.setattr(tried, "AGAIN_AFTER", 0.0)
    rounds(verifier)
    found = verifier.journal.finding(batch.id)
    assert found is not None
    assert found.kind == FindingKind.GOOD
