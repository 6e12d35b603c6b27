"""The operator's journal: what was taken stays taken, whoever crashes; checked as a whole too."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tallystick.node.log import get_log
from tallystick.node.operator.errors import JournalError
from tallystick.node.operator.journal import Accepted, Answered, OperatorJournal, PendingBatch
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.pruner import Pruner
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord

MODEL, NETWORK, OPERATOR = b"m" * 32, b"n" * 32, b"o" * 20
STAMP = Stamp(0, 1, 100, 1, 200)


def accepted(nonce: int, deadline: int = 1000, requester: bytes = b"r" * 20) -> Accepted:
    record = InferenceRecord(
        keccak256(b"in"),
        bytes(32),
        requester,
        nonce,
        deadline,
        signature=b"s" * 65,
        input=b"in",
    )
    return Accepted(keccak256(requester + nonce.to_bytes(8) + deadline.to_bytes(8)), record)


def answered(one: Accepted) -> Answered:
    return Answered(one.request, b"out", keccak256(b"out"), bytes(32))


def batch_of(records: list[InferenceRecord], index: int = 0) -> Batch:
    root = keccak256(b"".join((one.nonce or 0).to_bytes(8) for one in records) + bytes([index]))
    return Batch(NETWORK, OPERATOR, index, MODEL, root, len(records), 1000)


@pytest.fixture
def journal(tmp_path: Path) -> OperatorJournal:
    return OperatorJournal(tmp_path / "journal.sqlite3", NETWORK, OPERATOR, b"here")


def test_journal__of_another_lane__refused(journal: OperatorJournal, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="another lane"):
        OperatorJournal(tmp_path / "journal.sqlite3", NETWORK, OPERATOR, b"elsewhere")


def test_accept__one_nonce_taken__takes_none(journal: OperatorJournal) -> None:
    journal.accept(MODEL, [accepted(1)], worker=0)

    known = journal.accept(MODEL, [accepted(2), accepted(1, deadline=999)], worker=1)

    assert known[0] is None
    assert known[1] is not None and known[1].request == accepted(1).request
    assert known[1].answer is None
    assert journal.accept(MODEL, [accepted(2)], worker=1) == [None]


def test_accept__highest_nonce__kept_and_ordered_as_leaves_are(journal: OperatorJournal) -> None:
    nonces = [2**64 - 1, 0, 2**63, 1]
    for nonce in nonces:
        journal.accept(MODEL, [accepted(nonce)], worker=0)
        journal.answer([answered(accepted(nonce))], now=5)
    noted = journal.note(batch_of(taken := journal.take(MODEL, 9, 0, 2000)), taken)

    assert [one.nonce for one in journal.records(noted)] == sorted(nonces)


def test_release_worker__gone__only_what_nobody_was_told(journal: OperatorJournal) -> None:
    for nonce, worker in ((1, 0), (2, 0), (3, 1)):
        journal.accept(MODEL, [accepted(nonce)], worker)
    journal.answer([answered(accepted(1))], now=5)

    assert journal.accepting() == [0, 1]
    assert journal.release_worker(0) == 1

    places = journal.find([accepted(nonce).request for nonce in (1, 2, 3)])
    assert [place is not None for place in places] == [True, False, True]


def test_note__answers_that_another_batch_holds__refused_whole(journal: OperatorJournal) -> None:
    journal.accept(MODEL, [accepted(1), accepted(2)], worker=0)
    journal.answer([answered(accepted(1)), answered(accepted(2))], now=5)
    both = journal.take(MODEL, 9, 0, 2000)
    journal.note(batch_of(both[:1]), both[:1])

    with pytest.raises(JournalError, match="another process"):
        journal.note(batch_of(both, 1), both)

    assert len(journal.batches()) == 1
    assert [one.nonce for one in journal.take(MODEL, 9, 0, 2000)] == [2]


def test_accept__many_threads_want_the_same_nonces__one_gets_each(journal: OperatorJournal) -> None:
    def take(worker: int) -> list[int]:
        got = []
        for nonce in range(60):
            # A request of one's own, so that the same nonce is another request to each.
            mine = accepted(nonce, deadline=1000 + worker)
            if journal.accept(MODEL, [mine], worker) == [None]:
                journal.answer([answered(mine)], now=5)
                got.append(nonce)
        return got

    with ThreadPoolExecutor(6) as threads:
        taken = list(threads.map(take, range(6)))

    assert sorted(nonce for got in taken for nonce in got) == list(range(60))
    kept = journal.take(MODEL, 99, 0, 2000)
    assert {(one.nonce, one.deadline) for one in kept} == {
        (nonce, 1000 + worker) for worker, got in enumerate(taken) for nonce in got
    }


def test_accept__among_others_in_one_transaction__its_failure_is_its_own(
    journal: OperatorJournal, tmp_path: Path
) -> None:
    journal.accept(MODEL, [accepted(0)], worker=0)
    requests = [[accepted(nonce), accepted(nonce + 1)] for nonce in range(0, 40, 2)]

    # Another process holds the file meanwhile, so that all of them wait, and then go together.
    other = sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)
    other.execute("begin immediate")
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(journal.accept, MODEL, one, 1) for one in requests]
        sleep(0.2)
        other.execute("commit")
        known = [one.result() for one in waiting]
    other.close()

    assert known[0][0] is not None and known[0][1] is None
    assert known[1:] == [[None, None]] * 19
    found = journal.find([one.request for pair in requests for one in pair])
    assert [place is not None for place in found] == [True, False] + [True] * 38


def committed_batch(journal: OperatorJournal, nonces: range, index: int = 0) -> PendingBatch:
    journal.accept(MODEL, [accepted(nonce) for nonce in nonces], worker=0)
    journal.answer([answered(accepted(nonce)) for nonce in nonces], now=5)
    records = journal.take(MODEL, len(nonces), 0, 2000)
    noted = journal.note(batch_of(records, index), records)
    journal.settle(noted, STAMP, b"t" * 32)
    return noted


def bytes_kept(journal: OperatorJournal, noted: PendingBatch) -> list[bool]:
    return [one.input is not None or one.output is not None for one in journal.records(noted)]


def test_prune__a_few_at_a_time__goes_on_where_it_was(journal: OperatorJournal) -> None:
    noted = committed_batch(journal, range(7))
    other = committed_batch(journal, range(7, 9), 1)
    hashes = [one.input_hash for one in journal.records(noted)]
    journal.begin_pruning([noted], now=9)

    after, left = 0, []
    while (found := journal.prune(noted, after, most=3)) is not None:
        after = found
        left.append(sum(bytes_kept(journal, noted)))

    assert left == [4, 1, 0]
    assert [one.input_hash for one in journal.records(noted)] == hashes
    assert bytes_kept(journal, other) == [True] * 2
    assert [one.key for one in journal.unpruned()] == [other.key]
    assert [one.key for one in journal.pruning()] == [noted.key]
    journal.end_pruning(noted, now=10)
    assert journal.pruning() == []
    assert [journal.is_pruned(one.batch.root) for one in (noted, other)] == [True, False]


def test_unpruned__batch_that_the_chain_is_not_known_to_have__is_none_of_them(
    journal: OperatorJournal,
) -> None:
    journal.accept(MODEL, [accepted(1)], worker=0)
    journal.answer([answered(accepted(1))], now=5)
    records = journal.take(MODEL, 1, 0, 2000)
    journal.note(batch_of(records), records)

    assert journal.unpruned() == []


def test_known__pruned__is_told_from_what_is_being_answered(journal: OperatorJournal) -> None:
    noted = committed_batch(journal, range(1))
    journal.accept(MODEL, [accepted(1)], worker=0)
    journal.begin_pruning([noted], now=9)
    journal.prune(noted, 0, 9)

    pruned, pending = journal.accept(MODEL, [accepted(0), accepted(1)], worker=0)

    assert pruned is not None and pruned.pruned and pruned.answer is None
    assert pending is not None and not pending.pruned and pending.answer is None


def test_give_back__half_of_the_bytes_pruned__file_is_shorter(
    journal: OperatorJournal, tmp_path: Path
) -> None:
    data = bytes(100_000)
    batches = []
    for nonce in range(40):
        one = accepted(nonce)
        one = replace(one, record=replace(one.record, input=data))
        journal.accept(MODEL, [one], worker=0)
        journal.answer([answered(one)], now=5)
        records = journal.take(MODEL, 1, 0, 2000)
        batches.append(journal.note(batch_of(records, nonce), records))
    size = journal.size()
    for noted in batches[::2]:
        journal.prune(noted, 0, 9)
    assert journal.size() == size and journal.free() > 19 * len(data)

    journal.give_back(1 << 20)
    journal.checkpoint()

    assert journal.free() == 0 and journal.size() < size - 19 * len(data)
    on_disk = sum(path.stat().st_size for path in tmp_path.iterdir() if path.suffix != ".lock")
    assert on_disk < size - 19 * len(data) + (1 << 17)
    assert [len(journal.records(noted)[0].input or b"") for noted in batches] == [0, 100_000] * 20


def test_give_back__killed_before_the_log_was_let_go__next_one_does(
    journal: OperatorJournal,
) -> None:
    """The file is shorter by then: only the log beside it tells that something is left."""
    noted = committed_batch(journal, range(1))
    one = accepted(1)
    journal.accept(MODEL, [replace(one, record=replace(one.record, input=bytes(5 << 20)))], 0)
    journal.prune(noted, 0, 9)
    journal.give_back(1 << 20)
    assert journal.free() < 1 << 20 < 5 << 20 < journal.log_size()
    lane = cast(OperatorLane, SimpleNamespace(journal=journal, log=get_log("lane")))

    assert Pruner(lane)._give_back(float("inf"))

    assert journal.log_size() == 0


def test_journal__file_of_before__gets_what_it_lacks_and_keeps_the_rest(
    journal: OperatorJournal, tmp_path: Path
) -> None:
    noted = committed_batch(journal, range(3))
    before = journal.records(noted)
    path = tmp_path / "old.sqlite3"
    new, old = sqlite3.connect(tmp_path / "journal.sqlite3"), sqlite3.connect(path)
    old.executescript("\n".join(new.iterdump()))
    new.close()
    for statement in (
        "drop index batch_root",
        "alter table batch drop column pruning",
        "alter table batch drop column pruned",
        "alter table inference add column input blob",
        "alter table inference add column output blob",
        "update inference set input = (select data from input where input.id = inference.id),"
        " output = (select data from output where output.id = inference.id)",
        "drop table input",
        "drop table output",
    ):
        old.execute(statement)
    old.commit()
    assert old.execute("pragma auto_vacuum").fetchone() == (0,)
    old.close()

    journal = OperatorJournal(path, NETWORK, OPERATOR, b"here")

    assert [one.key for one in journal.unpruned()] == [noted.key]
    assert journal.records(noted) == before
    journal.begin_pruning([noted], now=9)
    assert journal.prune(noted, 0, 9) is not None
    assert bytes_kept(journal, noted) == [False] * 3
    after = sqlite3.connect(path)
    assert after.execute("pragma auto_vacuum").fetchone() == (2,)
    after.close()


class Walk(RuleBasedStateMachine):
    """Any order of steps, crashes in between: one nonce, one answer, one batch, kept or pruned."""

    nonces = Bundle("nonces")

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.sqlite3"
        self.journal = OperatorJournal(self.path, NETWORK, OPERATOR, b"here")
        self.told: set[int] = set()
        self.pending: set[int] = set()
        self.gone: set[int] = set()
        self.index = 0

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    @rule(target=nonces, nonce=st.integers(0, 12))
    def name(self, nonce: int) -> int:
        return nonce

    @rule(nonce=nonces)
    def accept(self, nonce: int) -> None:
        (known,) = self.journal.accept(MODEL, [accepted(nonce)], worker=0)
        assert (known is None) == (nonce not in self.told | self.pending)
        if known is None:
            self.pending.add(nonce)
        else:
            assert (known.answer is not None) == (nonce in self.told - self.gone)
            assert known.pruned == (nonce in self.gone)

    @rule()
    def answer_all(self) -> None:
        self.journal.answer([answered(accepted(nonce)) for nonce in self.pending], now=5)
        self.told |= self.pending
        self.pending = set()

    @rule()
    def crash(self) -> None:
        self.journal.close()
        self.journal = OperatorJournal(self.path, NETWORK, OPERATOR, b"here")
        self.journal.release_worker(0)
        self.pending = set()

    @rule(most=st.integers(1, 4))
    def note(self, most: int) -> None:
        records = self.journal.take(MODEL, most, 0, 2000)
        if records:
            self.journal.note(batch_of(records, self.index), records)
            self.index += 1

    @rule(settle=st.booleans())
    def end(self, settle: bool) -> None:
        for noted in self.journal.batches()[-1:]:
            if settle:
                self.journal.settle(noted, STAMP, b"t" * 32)
            elif noted.stamp is None:
                self.journal.abandon(noted)

    @rule(which=st.integers(0, 9))
    def begin_pruning(self, which: int) -> None:
        self.journal.begin_pruning(self.journal.unpruned()[which : which + 1], now=9)

    @rule(most=st.integers(1, 3))
    def prune(self, most: int) -> None:
        for noted in self.journal.pruning()[:1]:
            if self.journal.prune(noted, 0, 99 if most == 3 else most) is not None:
                self.gone |= {
                    one.nonce or 0 for one in self.journal.records(noted) if one.output is None
                }
            if most == 3:
                self.journal.end_pruning(noted, now=9)

    @rule()
    def give_back(self) -> None:
        self.journal.give_back(16)
        self.journal.checkpoint()

    @invariant()
    def bytes_are_whole_or_gone_with_their_batch(self) -> None:
        over = {one.key for one in self.journal.batches()} - {
            one.key for one in self.journal.unpruned()
        }
        for noted in self.journal.batches():
            for one in self.journal.records(noted):
                if one.nonce in self.gone:
                    assert one.input is None and one.output is None and noted.key in over
                else:
                    assert one.input == b"in" and one.output == b"out"
                assert one.output_hash == keccak256(b"out")

    @invariant()
    def every_answer_in_one_place(self) -> None:
        held = [
            one.nonce for noted in self.journal.batches() for one in self.journal.records(noted)
        ]
        waiting = [one.nonce for one in self.journal.take(MODEL, 99, 0, 2000)]
        assert sorted(held + waiting) == sorted(self.told)
        counted = sum(one.count for one in self.journal.waiting())
        assert counted == len(waiting)


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
