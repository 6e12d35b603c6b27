"""Games about an operator's batches: its node makes the operator's moves, and keeps its stake.

liar       other roots of any tensor: answered, shown, and claimed when it can prove nothing
silence    of the challenger's, at each of its turns, the opening too: claimed
wrong      a leaf that is wrong has no move: said, and nothing sent
several    games at a time, beside demands
crashes    nothing is kept between two moves; kill -9 of the process at any time
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

import pytest

from tallystick.chain.follower import Follower
from tallystick.chain.localnet import advance, localnet
from tallystick.chain.sender import Web3Sender
from tallystick.chain.signer import KeySigner
from tallystick.node.metrics import Metrics
from tallystick.node.operator.game_responder import GameResponder
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.models import load_models
from tallystick.node.operator.pipeline import Pipeline
from tallystick.node.settings import OperatorSettings
from tallystick.protocol.enums import State
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.replay.game import GameTrace
from tallystick.storage.batch_store import BatchStore
from tests.node.operator.conftest import Scene, committed, wait_for
from tests.node.verifier.stage import LiveChain
from tests.support.chain import Chain
from tests.support.operator_process import OperatorProcess, dev_account, running
from tests.support.patience import PATIENCE
from tests.support.replay_play import DATA, MODEL, WINDOW, Match, found, trace
from tests.support.story import RULES, Committed, conserved, keep, kept

OWNER, OPERATOR, LIAR = 1, 2, 3
TRUE = trace()


class Player:
    """A lane in a network that a game judges, and what plays for its operator."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.chain, self.folder = chain, folder
        self.operator, self.liar = chain.accounts[OPERATOR], chain.accounts[LIAR]
        self.table = found(chain, chain.accounts[OWNER], self.operator, self.liar)
        self.file = folder / "net.qi8"
        self.file.write_bytes(MODEL.to_bytes())
        key = self.table.network.id, self.operator, b"here"
        self.journal = OperatorJournal(folder / "journal.sqlite3", *key)
        self.begin()

    def settings(self) -> dict[str, Any]:
        served = {
            "id": to_hex(self.table.network.model_id),
            "file": str(self.file),
            "runner": "qi8",
        }
        return {"network_id": to_hex(self.table.network.id), "models": [served]}

    def begin(self) -> None:
        """Start anew, as after a crash."""
        w3, settings = self.chain.w3, OperatorSettings(**self.settings())
        self.metrics = Metrics()
        self.lane = OperatorLane(
            settings,
            self.chain.registry,
            Web3Sender(w3, dev_account(OPERATOR)),
            Follower(self.chain.registry),
            self.journal,
            BatchStore(str(self.folder / "batches")),
            self.metrics,
        )
        signer, lock = KeySigner(dev_account(OPERATOR)), self.folder / "sender.lock"
        self.pipeline = Pipeline(w3, signer, lock, self.metrics, 2000 * 10**9)
        models = load_models(settings, self.chain.ledger())
        self.responder = GameResponder(self.lane, self.pipeline, models)

    def commit(self, own: GameTrace = TRUE, slot: int = 0) -> Committed:
        batch = self.table.commit(self.operator, own, 3, slot)
        keep(self.folder / "batches", batch)
        return batch

    def round(self) -> None:
        """Do what is due, and see a block hold it: a busy machine mines late."""
        self.lane.follower.advance()
        self.responder.play()
        end = monotonic() + PATIENCE
        while self.pipeline.flights and monotonic() < end:
            self.pipeline.settle(self.lane.head.now)

    def moves(self) -> list[str]:
        """Names of the moves that the process has seen mined."""
        (metric,) = self.metrics.game_moves.collect()
        return sorted(
            one.labels["move"]
            for one in metric.samples
            if one.name.endswith("_total")
            for _ in range(int(one.value))
        )


@pytest.fixture(scope="module")
def live_chain() -> Iterator[LiveChain]:
    with localnet() as w3:
        yield LiveChain(w3)


@pytest.fixture
def player(live_chain: LiveChain, tmp_path: Path) -> Iterator[Player]:
    with live_chain.isolated():
        player = Player(live_chain, tmp_path)
        yield player
        player.journal.close()


def lie(match: Match, theirs: GameTrace) -> bool:
    """Make the challenger's move that is left; whether there was one."""
    state = match.state
    if state["phase"] == 0:
        match.open(theirs)
    elif state["phase"] == 2 and state["tensor"] in range(1, len(theirs.trees)):
        match.choose(*theirs.choose(state["tensor"], TRUE.trees[state["tensor"]].levels[0]))
    else:
        return False
    return True


def kept_its_stake(player: Player, batch: Committed) -> None:
    record = player.chain.ledger().batches[batch.id]
    assert (record.state, record.dispute) == (State.OPEN, None)
    assert player.table.network.totals().rejected == 0
    conserved(player.chain, player.table.network)


@pytest.mark.parametrize(
    ("theirs", "made"),
    [
        (trace({1: 2559}), ["answer", "claim", "show"]),
        (trace({7: 9}), ["answer", "claim", "show"]),
        (trace(data=bytes(len(DATA))), ["answer", "claim"]),
        (TRUE, ["answer", "claim"]),
    ],
    ids=["first step", "output", "input", "nothing"],
)
def test_play__challenger_lies__stake_kept_and_half_the_bond_taken(
    player: Player, theirs: GameTrace, made: list[str]
) -> None:
    batch = player.commit()
    credit = player.table.network.credit(player.operator)
    match = player.table.challenge(batch, player.liar, 2)

    while lie(match, theirs):
        player.round()
    advance(player.chain.w3, WINDOW - 60)
    player.round()
    assert "claim" not in player.moves()
    advance(player.chain.w3, 120)
    player.round()

    assert player.moves() == made
    assert player.table.network.credit(player.operator) == credit + RULES.challenge_bond // 2
    kept_its_stake(player, batch)


def test_play__no_game_is_opened__claimed_after_half_a_window(player: Player) -> None:
    batch = player.commit()
    player.table.challenge(batch, player.liar, 2)
    player.round()
    assert player.moves() == []

    advance(player.chain.w3, WINDOW // 2 + 60)
    player.round()
    player.round()

    assert player.moves() == ["claim"]
    kept_its_stake(player, batch)


def test_play__every_process_makes_one_move__goes_on_where_the_chain_is(player: Player) -> None:
    theirs, made = trace({4: 3839}), []
    batch = player.commit()
    match = player.table.challenge(batch, player.liar, 0)
    while lie(match, theirs):
        player.begin()
        player.round()
        made += player.moves()
    advance(player.chain.w3, WINDOW + 60)
    player.begin()
    player.round()

    assert [*made, *player.moves()] == ["answer", "show", "claim"]
    kept_its_stake(player, batch)


def test_play__leaf_is_wrong__no_move_and_the_other_game_goes_on(player: Player) -> None:
    batches = player.commit(trace({2: 5})), player.commit(slot=1)
    matches = [player.table.challenge(one, player.liar, 1) for one in batches]
    matches[0].open(TRUE)
    matches[1].open(trace({1: 0}))

    with pytest.raises(Exception, match="leaf 1 has another traceRoot"):
        player.round()

    assert [match.state["phase"] for match in matches] == [1, 2]
    assert player.moves() == ["answer"]


def test_play__pipeline_has_the_move_on_its_way__sent_once(player: Player) -> None:
    batch = player.commit()
    player.table.challenge(batch, player.liar, 2).open(trace({1: 0}))
    w3 = player.chain.w3
    nonce = w3.eth.get_transaction_count(dev_account(OPERATOR).address)
    w3.provider.make_request("evm_setAutomine", [False])  # type: ignore[arg-type]
    try:
        for _ in range(3):
            player.lane.follower.advance()
            player.responder.play()
        assert len(player.pipeline.flights) == 1
    finally:
        w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
        w3.provider.make_request("evm_mine", [])  # type: ignore[arg-type]
    player.round()

    assert player.moves() == ["answer"]
    assert w3.eth.get_transaction_count(dev_account(OPERATOR).address) == nonce + 1


@pytest.fixture
def node(player: Player) -> Iterator[OperatorProcess]:
    """The operator's node, as a process of its own."""
    common = {
        "rpc": player.chain.w3.provider.endpoint_uri,  # type: ignore[attr-defined]
        "registry": to_hex(player.chain.registry.address),
        "poll_every": 0.1,
    }
    own = player.settings() | {"commit_every": 0.3, "commit_margin": 30.0}
    process = OperatorProcess(player.folder / "node", {"common": common, "operator": own}, OPERATOR)
    with running(process) as found:
        yield found


def answered(player: Player, node: OperatorProcess) -> Committed:
    """Ask the node for inferences; returns their batch, once the chain has it."""
    network = player.table.network
    scene = Scene(player.chain, network, network.model_id, player.folder)
    asked = [scene.request(nonce, input_hash=keccak256(DATA))[0] for nonce in range(3)]
    body = scene.body(*(scene.line(one, DATA) for one in asked))
    node.client.post("/inferences", json=body).raise_for_status()
    wait_for(lambda: committed(node, [one.struct_hash() for one in asked]), node)
    (record,) = player.chain.ledger().batches.values()
    return kept(player.chain, record, next(node.folder.rglob("batches")))


def test_node__killed_again_and_again_in_a_game__keeps_its_stake(
    player: Player, node: OperatorProcess
) -> None:
    choose, theirs = Random(3), trace({2: 1100})
    batch = answered(player, node)
    assert [leaf.trace_root for leaf in batch.inferences] == [TRUE.trace_root] * 3
    match = player.table.challenge(batch, player.liar, 1)

    while lie(match, theirs):
        due = match.state["phase"]
        node.kill()
        node.launch()
        sleep(choose.uniform(0.2, 1.5))
        node.kill()
        node.launch()
        wait_for(lambda due=due: match.state["phase"] > due, node)
    assert match.state["phase"] == 4
    advance(player.chain.w3, WINDOW + 60)
    node.kill()
    node.launch()

    wait_for(lambda: player.chain.ledger().batches[batch.id].dispute is None, node)
    kept_its_stake(player, batch)
    mined = [json.loads(line)["move"] for line in node.events("move in a game mined")]
    # A process that was killed before it saw a block did not say so.
    assert set(mined) <= {"answer", "show", "claim"} and len(mined) == len(set(mined))
