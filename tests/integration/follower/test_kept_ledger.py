"""The ledger that is kept beside the logs, so that a command need not fold what is long over.

the same    written, read and gone on with: the ledger of all events, wherever it is cut
again       a second process folds the events since | of what is over it reads what is asked for
reorg       below the block of the kept ledger: it is folded anew
before      to a block that the kept ledger is behind: as it was then
several     processes: the latest is kept | logs taken back in between are noticed
"""

from pathlib import Path
from typing import Any

import pytest

from tallystick.chain import follower as follower_module
from tallystick.chain import snapshot
from tallystick.chain.cache import CacheChangedError, ChainCache
from tallystick.chain.follower import Follower
from tallystick.chain.localnet import mine
from tallystick.chain.logs import decode_log, read_events
from tallystick.protocol.batch import ARCHIVE_DELAY
from tallystick.protocol.enums import State
from tallystick.protocol.ledger import BatchState, Ledger
from tallystick.protocol.scope import WHOLE, Scope
from tests.support.chain import Chain
from tests.support.story import Committed, Network


@pytest.fixture(autouse=True)
def kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "_WORTH_KEEPING", 1)


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The logs that a follower has decoded."""
    found: list[Any] = []

    def counted(log: Any) -> Any:
        found.append(log)
        return decode_log(log)

    monkeypatch.setattr(follower_module, "decode_log", counted)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.sqlite3"


def standing(ledger: Ledger) -> dict[str, Any]:
    """All of a ledger, whoever may have kept it."""
    return {name: value for name, value in vars(ledger).items() if name != "touched"}


def follow(chain: Chain, path: Path, scope: Scope = WHOLE, to: int | None = None) -> Ledger:
    """The ledger of another process."""
    follower = Follower(chain.registry, scope=scope, cache=ChainCache(path))
    follower.advance(to)
    return follower.ledger


@pytest.fixture
def story(chain: Chain, network: Network, operator: bytes) -> list[Committed]:
    """Batches of one slot: two are final, a later one is disputed; one more is open elsewhere."""
    chain.send(operator, "setKey", chain.accounts[7])
    over = []
    for count in (2, 3):
        over.append(network.final(operator, slot=0, count=count))
        # Until then a slot stays as it is, so that its status can be read.
        chain.at(over[-1].closes_at + ARCHIVE_DELAY + 1).mine()
    disputed = network.commit(operator, slot=0, count=4)
    network.fund(chain.accounts[5])
    chain.send(chain.accounts[5], "demand", disputed.batch.abi(), disputed.stamp.pack(), 1, False)
    return [*over, disputed, network.commit(operator, slot=1, count=5)]


class _Kept(dict[bytes, BatchState]):
    """Batches that are kept elsewhere."""

    def find(self, batch_id: bytes) -> BatchState | None:
        return self.get(batch_id)

    def all(self) -> list[BatchState]:
        return list(self.values())


@pytest.mark.parametrize("part", ["whole", "network", "lane", "directory"])
def test_read__written_after_any_event__goes_on_as_if_it_had_not_been(
    chain: Chain, network: Network, operator: bytes, story: list[Committed], part: str
) -> None:
    scope = {
        "whole": WHOLE,
        "network": Scope.network(network.id),
        "lane": Scope.lane(network.id, operator),
        "directory": Scope.directory(),
    }[part]
    head = chain.w3.eth.block_number
    events = [
        event
        for event in read_events(chain.w3, chain.registry.address, 0, head)
        if scope.has_event(event)
    ]
    whole = Ledger.of(events, scope)
    assert part == "directory" or len(whole.batches) == len(story)

    for cut in range(len(events) + 1):
        first = Ledger.of(events[:cut], scope)
        written = snapshot.write_batches(first)
        states = {one.id: snapshot.read_batch(one.state) for one in written}
        held = [one.state for one in written if one.in_slot]
        kept = snapshot.read(snapshot.write(first), scope, held, _Kept(states))
        assert {one.id for one in kept.live()} == {one.id for one in first.live()}
        for event in events[cut:]:
            kept.apply(event)
        assert standing(kept) == standing(whole), cut


def test_advance__another_process__folds_the_events_since(
    chain: Chain,
    network: Network,
    operator: bytes,
    story: list[Committed],
    path: Path,
    folded: list[Any],
) -> None:
    scope = Scope.lane(network.id, operator)
    follow(chain, path, scope)
    assert len(folded) > len(story)
    folded.clear()

    ledger = follow(chain, path, scope)

    assert folded == []
    assert {one.id for one in ledger.live()} == {one.id for one in story[2:]}
    assert ledger.batches.here() and story[0].id not in {one.id for one in ledger.batches.here()}  # type: ignore[attr-defined]
    assert ledger.batches[story[0].id].state is State.FINAL
    assert list(ledger.batches) == [one.id for one in story]
    assert b"?" * 32 not in ledger.batches
    network.commit(operator, slot=2)
    again = follow(chain, path, scope)
    assert len(folded) == 1
    assert standing(again) == standing(follow(chain, path.with_name("anew"), scope))


def test_advance__reorganised_below_the_kept_ledger__folded_anew(
    chain: Chain, network: Network, operator: bytes, story: list[Committed], path: Path
) -> None:
    follow(chain, path)
    revert = chain.snapshot()
    gone = network.commit(operator, slot=2)
    assert gone.id in follow(chain, path).batches
    revert()
    new = network.commit(operator, slot=2, count=7)
    mine(chain.w3, 3)

    ledger = follow(chain, path)

    assert new.id in ledger.batches and gone.id not in ledger.batches
    assert standing(ledger) == standing(chain.ledger())


def test_advance__to_a_block_before_the_kept_ledger__as_it_was_then(
    chain: Chain, network: Network, operator: bytes, story: list[Committed], path: Path
) -> None:
    block, before = chain.w3.eth.block_number, chain.ledger()
    chain.at(story[3].closes_at + ARCHIVE_DELAY).mine()
    later = network.commit(operator, slot=1, over=story[3])
    follow(chain, path)

    ledger = follow(chain, path, to=block)

    assert later.id not in ledger.batches
    assert standing(ledger) == standing(before)


def test_note_ledger__older_than_the_one_that_is_kept__that_one_stays(path: Path) -> None:
    cache, name = ChainCache(path), WHOLE.name
    generation = cache.generation(name)
    newer, older = Ledger(), Ledger()
    newer.passed_over, older.passed_over = 2, 1

    assert cache.note_ledger(name, generation, 9, snapshot.write(newer), [])
    assert not cache.note_ledger(name, generation, 8, snapshot.write(older), [])

    kept = cache.ledger(WHOLE, name, generation, 9)
    assert kept and kept.ledger.passed_over == 2
    assert cache.ledger(WHOLE, name, generation, 8) is None


def test_ledger__logs_taken_back_meanwhile__is_told(
    chain: Chain, story: list[Committed], path: Path
) -> None:
    follow(chain, path)
    ledger = follow(chain, path)
    cache = ChainCache(path)
    generation = cache.generation(WHOLE.name)

    cache.take_back(WHOLE.name, -1)

    with pytest.raises(CacheChangedError):
        ledger.batches.get(story[0].id)
    for read in (
        lambda: cache.ledger(WHOLE, WHOLE.name, generation, 99),
        lambda: cache.note_ledger(WHOLE.name, generation, 99, b"", []),
    ):
        with pytest.raises(CacheChangedError):
            read()
    assert cache.ledger(WHOLE, WHOLE.name, cache.generation(WHOLE.name), 10**9) is None
    assert standing(follow(chain, path)) == standing(chain.ledger())
