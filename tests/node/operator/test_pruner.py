"""Bytes that nobody can ask for any more go, whoever dies meanwhile; nothing else does."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from tallystick.chain.localnet import advance, mine
from tallystick.demo.digits import model as digits
from tallystick.errors import BatchPrunedError
from tallystick.node.operator import pruner
from tallystick.node.operator.journal import Accepted, OperatorJournal
from tallystick.node.operator.pruner import Pruner
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import State
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_store import BatchStore
from tests.node.operator.conftest import OPERATOR, Scene, Start, checked, committed, wait_for
from tests.node.operator.test_committer import Crash, RequestHandler
from tests.node.operator.test_reorgs import given_up
from tests.support.operator_process import OperatorProcess
from tests.support.patience import PATIENCE
from tests.support.story import register

WINDOWS = 4 * 3600 + 3600 + 2 * 3600
EPOCHS = 70
"""Blocks after which anvil has one finalized."""


class Lane:
    """A process's pruning, without its other rounds."""

    def __init__(
        self, handler: RequestHandler, prune_after: float | str = 0.0, prune_every: float = 1e-9
    ) -> None:
        lane = handler.lane()
        settings = lane.settings.model_copy(
            update={"prune_after": prune_after, "prune_every": prune_every}
        )
        self.lane = replace(lane, settings=settings)
        self.pruner = Pruner(self.lane)

    def round(self, count: int = 1) -> None:
        for _ in range(count):
            self.lane.follower.advance()
            self.pruner.prune()

    def writes(self) -> int:
        """Rows that its journal has written so far."""
        with self.lane.journal._file.exclusive() as database:
            return database.total_changes

    def through_finality(self, scene: Scene) -> None:
        """See what is over, and go on when the block at which it was so is finalized."""
        self.round()
        mine(scene.w3, EPOCHS)
        self.round(2)
        self.close()

    def close(self) -> None:
        self.lane.journal.close()


def commit(scene: Scene, handler: RequestHandler, nonces: range) -> None:
    handler.answer(nonces)
    lane = handler.lane()
    handler.round(lane)
    lane.journal.close()


@pytest.fixture
def handler(scene: Scene, tmp_path: Path) -> RequestHandler:
    """With one batch whose windows have passed, and one that has taken its slot."""
    handler = RequestHandler(scene, tmp_path)
    commit(scene, handler, range(5))
    advance(scene.w3, 4 * 3600 + WINDOWS + 10)
    commit(scene, handler, range(5, 8))
    first, second = sorted(scene.chain.ledger().batches.values(), key=lambda one: one.batch.index)
    assert (first.state, second.state) == (State.FINAL, State.OPEN)
    assert first.stamp.slot == second.stamp.slot
    return handler


def kept(handler: RequestHandler) -> list[bool]:
    """Whether the journal has the bytes of each inference, by nonce."""
    journal = handler.journal()
    places = journal.find(handler.requests)
    journal.close()
    records = [place.record for place in places if place is not None]
    assert len(records) == len(handler.requests)
    assert [(one.input is None) == (one.output is None) for one in records] == [True] * len(records)
    return [one.input is not None for one in records]


def stored(handler: RequestHandler) -> int:
    return len(list((handler.folder / "batches").glob("*.parquet")))


def whole(handler: RequestHandler) -> None:
    """Every receipt is there, and every nonce taken."""
    scene = handler.scene
    keys = {checked(one).opening.inference.key for one in handler.receipts()}
    assert {nonce for _, nonce in keys} == set(range(8))
    journal = handler.journal()
    for nonce, before in enumerate(handler.requests):
        request, _ = scene.request(nonce, deadline=scene.now + 1700)
        record = InferenceRecord(
            request.input_hash, ZERO32, request.requester, nonce, request.deadline
        )
        accepted = Accepted(request.struct_hash(), record)
        (known,) = journal.accept(scene.model_id, [accepted], worker=0)
        assert known is not None and known.request == before
    journal.close()


def test_prune__final_overwritten_and_finalized__its_bytes_go_and_no_others(
    scene: Scene, handler: RequestHandler
) -> None:
    lane = Lane(handler)
    lane.round(2)
    assert kept(handler) == [True] * 8 and stored(handler) == 2
    mine(scene.w3, EPOCHS)

    lane.round()
    lane.close()

    assert kept(handler) == [False] * 5 + [True] * 3 and stored(handler) == 1
    assert lane.lane.metrics.registry.get_sample_value("tallystick_inferences_pruned_total") == 5
    whole(handler)


@pytest.mark.parametrize("prune_after", [20 * 3600.0, "never"])
def test_prune__time_not_over__keeps_all(
    scene: Scene, handler: RequestHandler, prune_after: float | str
) -> None:
    Lane(handler, prune_after).through_finality(scene)

    assert kept(handler) == [True] * 8 and stored(handler) == 2


def test_prune__final_but_in_its_slot__kept_for_whoever_shows_a_repeat(
    scene: Scene, tmp_path: Path
) -> None:
    handler = RequestHandler(scene, tmp_path)
    commit(scene, handler, range(5))
    (record,) = scene.chain.ledger().batches.values()
    advance(scene.w3, 4 * 3600 + WINDOWS + 10)
    lane = [(record.id, record.stamp.pack())]
    scene.send(OPERATOR, "finalize", lane, scene.network.id, scene.operator)
    assert [one.state for one in scene.chain.ledger().batches.values()] == [State.FINAL]

    Lane(handler).through_finality(scene)

    assert kept(handler) == [True] * 5 and stored(handler) == 1


def test_prune__open_though_its_windows_have_passed__keeps_all(
    scene: Scene, tmp_path: Path
) -> None:
    handler = RequestHandler(scene, tmp_path)
    commit(scene, handler, range(5))
    advance(scene.w3, 4 * 3600 + WINDOWS + 10)

    Lane(handler).through_finality(scene)

    assert [one.state for one in scene.chain.ledger().batches.values()] == [State.OPEN]
    assert kept(handler) == [True] * 5 and stored(handler) == 1


def test_prune__block_that_made_it_final_given_up__keeps_all(scene: Scene, tmp_path: Path) -> None:
    handler = RequestHandler(scene, tmp_path)
    commit(scene, handler, range(5))
    advance(scene.w3, 4 * 3600 + WINDOWS + 10)
    lane = Lane(handler)
    with given_up(scene) as give_up:
        commit(scene, handler, range(5, 8))
        lane.round(2)
        give_up()
        # The first batch is open again, and what was seen is at a depth that counts as finalized.
        mine(scene.w3, EPOCHS + 5)
        lane.round(3)
        mine(scene.w3, EPOCHS)
        lane.round(3)
    lane.close()

    states = [one.state for one in scene.chain.ledger().batches.values()]
    assert states == [State.OPEN]
    assert kept(handler) == [True] * 8 and stored(handler) == 2


STEPS = {
    "begin_pruning": OperatorJournal,
    "delete": BatchStore,
    "prune": OperatorJournal,
    "end_pruning": OperatorJournal,
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_prune__crash_at_any_step__next_process_ends_it(
    scene: Scene, handler: RequestHandler, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = Lane(handler)
    lane.round()
    mine(scene.w3, EPOCHS)
    with monkeypatch.context() as patch:
        plain = getattr(STEPS[step], step)

        def crashing(self: Any, *args: Any) -> Any:
            if when == "after":
                plain(self, *args)
            raise Crash

        patch.setattr(STEPS[step], step, crashing)
        with pytest.raises(Crash):
            lane.round()
        lane.close()
    whole(handler)

    lane = Lane(handler)
    lane.round()
    mine(scene.w3, EPOCHS)
    lane.round()
    lane.close()

    assert kept(handler) == [False] * 5 + [True] * 3 and stored(handler) == 1
    whole(handler)


def test_prune__no_time_left__goes_on_with_the_next_round_or_process(
    scene: Scene, handler: RequestHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruner, "_MOST", 2)
    monkeypatch.setattr(pruner, "_BUDGET", 0.0)
    lane = Lane(handler)
    lane.round()
    mine(scene.w3, EPOCHS)
    seen = []
    for _ in range(2):
        lane.round()
        seen.append(kept(handler).count(False))
    lane.close()
    lane = Lane(handler)
    for _ in range(4):
        lane.round()
        seen.append(kept(handler).count(False))
    lane.close()

    # The new process passes by what is gone already.
    assert seen == [2, 4, 4, 4, 5, 5] and stored(handler) == 1
    journal = handler.journal()
    assert journal.pruning() == []
    journal.close()
    whole(handler)


def test_prune__answers_that_missed_their_deadline__go_once_it_is_long_past(
    scene: Scene, tmp_path: Path
) -> None:
    handler = RequestHandler(scene, tmp_path)
    handler.answer(range(2), deadline=scene.now - 1)
    handler.answer(range(2, 4))
    journal = handler.journal()
    assert journal.expire(scene.now) == 2
    journal.close()
    lane = Lane(handler, prune_after=100.0)
    lane.round()
    assert kept(handler) == [True] * 4
    advance(scene.w3, 200)

    lane.round()
    lane.close()

    assert kept(handler) == [False] * 2 + [True] * 2
    assert [one["state"] for one in handler.receipts()] == ["expired"] * 2 + ["answered"] * 2


def test_prune__rounds_between_two_looks__write_nothing(scene: Scene, tmp_path: Path) -> None:
    handler = RequestHandler(scene, tmp_path)
    handler.answer(range(2), deadline=scene.now - 1)
    lane = Lane(handler, prune_every=3600.0)
    lane.round()
    # Others wait for whoever writes.
    before = lane.writes()
    other = handler.journal()
    assert other.expire(scene.now) == 2
    with other._write():
        lane.round(3)
    assert lane.writes() == before
    other.close()
    lane.close()

    assert kept(handler) == [True] * 2


SIZE = 40_000
"""Bytes of an input, and of an output."""
BATCHES, COUNT = 6, 40


@pytest.fixture
def bulky(scene: Scene) -> Iterator[Scene]:
    """A network whose inferences may be long."""
    chain = scene.chain
    network = register(chain, chain.accounts[1], solicited=True)
    network.join(chain.accounts[OPERATOR])
    hashes = (digits.content_hash(), digits.spec_hash(), ZERO32)
    mined = chain.send(chain.accounts[1], "registerModel", network.id, *hashes, "long", "")
    yield replace(scene, network=network, model_id=mined.event(ModelRegistered).model_id)


def ask(scene: Scene, node: OperatorProcess, nonces: range, size: int = SIZE) -> dict[int, Any]:
    """Ask for long inferences and wait for their receipts; returns what was asked, by nonce."""
    asked, lines = {}, []
    for nonce in nonces:
        data = random.Random(nonce).randbytes(size)
        request, _ = scene.request(nonce, input_hash=keccak256(data))
        asked[nonce] = request.struct_hash(), scene.line(request, data)
        lines.append(asked[nonce][1])
    node.client.post("/inferences", json=scene.body(*lines)).raise_for_status()
    wait_for(lambda: committed(node, [request for request, _ in asked.values()]), node)
    return asked


class File:
    """A journal's file, looked at from outside."""

    def __init__(self, node: OperatorProcess) -> None:
        self.path = next(node.folder.rglob("journal.sqlite3"))
        self._database = sqlite3.connect(self.path, timeout=60)

    def count(self, where: str) -> int:
        return int(
            self._database.execute(f"select count(*) from batch where {where}").fetchone()[0]
        )

    def size(self) -> int:
        """Bytes, as it is read."""
        (pages,) = self._database.execute("pragma page_count").fetchone()
        return int(pages * 4096)

    def on_disk(self) -> int:
        """Bytes, its log included."""
        return sum(path.stat().st_size for path in self.path.parent.glob(f"{self.path.name}*"))

    def close(self) -> None:
        self._database.close()


def killed_when(scene: Scene, node: OperatorProcess, true: Callable[[], bool]) -> None:
    """Kill a node once something is true; blocks are finalized meanwhile, now and then."""
    begun = finalized = monotonic()
    while not true():
        assert monotonic() < begun + PATIENCE, node.log.read_text()[-3000:]
        if monotonic() > finalized + 0.5:
            mine(scene.w3, EPOCHS)
            finalized = monotonic()
    node.kill()


def test_node__killed_again_and_again_while_it_prunes__ends_it_and_gives_the_space_back(
    bulky: Scene, start: Start
) -> None:
    model = {"id": to_hex(bulky.model_id), "file": str(digits.FILE)}
    node = OperatorProcess(
        bulky.folder / "bulky",
        bulky.settings(
            models=[model | {"runner": "tests.support.bulky:run"}],
            network_id=to_hex(bulky.network.id),
            commit_every=0.1,
            finalize=False,
            prune_after=0.0,
            prune_every=0.05,
        ),
        OPERATOR,
    )
    node.start()
    try:
        asked: dict[int, Any] = {}
        for number in range(BATCHES):
            asked |= ask(bulky, node, range(number * COUNT, (number + 1) * COUNT))
        old = {record.id: record for record in bulky.chain.ledger().batches.values()}
        assert len(old) == BATCHES
        store = next(node.folder.rglob("batches"))
        stored_before = sum(path.stat().st_size for path in store.iterdir())
        advance(bulky.w3, 4 * 3600 + WINDOWS + 10)
        wait_for(lambda: node.client.get("/").json()["now"] >= bulky.now - 1, node)
        # Each takes the place of one of those.
        for number in range(BATCHES):
            asked |= ask(bulky, node, range(1000 + number, 1001 + number), size=10)
        file = File(node)
        before = file.size()
        assert before > BATCHES * COUNT * 2 * SIZE and not file.count("pruning is not null")
        # Anew, so that it first looks when all of those are over.
        node.kill()
        node.start()

        unfinished = []
        for done in (0, 1, 3):
            killed_when(
                bulky,
                node,
                lambda done=done: (
                    file.count("pruning is not null") == BATCHES
                    and file.count("pruned is not null") >= done
                ),
            )
            unfinished.append(BATCHES - file.count("pruned is not null"))
            node.start()
        wait_for(lambda: file.count("pruned is not null") == BATCHES, node)
        wait_for(lambda: bool(node.events("journal made smaller")), node)
        wait_for(lambda: file.on_disk() < before / 10, node)
        after = file.on_disk()
        file.close()

        # On a busy machine a kill comes late; the first one still leaves something to do.
        assert unfinished[0] > 0
        assert len(node.events("batch pruned")) >= 1
        left = {path.stem for path in store.iterdir()}
        assert not left & {record.batch.root.hex() for record in old.values()}
        assert len(left) == BATCHES
        # What was pruned is known, and its receipts are there.
        for one in node.receipts([request for request, _ in asked.values()]):
            checked(one)
        again = node.client.post("/inferences", json=bulky.body(asked[3][1]))
        assert again.status_code == 410 and "no longer kept" in again.json()["error"]
        other, sample = bulky.request(3, deadline=bulky.now + 1700)
        taken = node.client.post("/inferences", json=bulky.body(bulky.line(other, sample)))
        assert taken.status_code == 409 and "is taken" in taken.json()["error"]
        record = next(iter(old.values()))
        url = f"{node.url}/batches"
        gone = httpx.get(f"{url}/{record.batch.root.hex()}.parquet")
        assert gone.status_code == 410
        assert gone.json() == {"error": "the batch is over, and its data were pruned"}
        assert httpx.get(f"{url}/{'00' * 32}.parquet").status_code == 404
        with pytest.raises(BatchPrunedError, match="has pruned batch"):
            BatchStore(url).get(record.batch.root)
        assert bulky.network.totals().committed == BATCHES * (COUNT + 1)
    finally:
        if node.process is not None and node.process.poll() is None:
            node.kill()
    print(f"journal {before} -> {after} bytes, store {stored_before}, unfinished {unfinished}")
