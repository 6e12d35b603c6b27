"""The story: operators commit, a verifier compares, cheats lose stake, the rest is counted."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallystick.chain.localnet import advance, localnet
from tallystick.demo import live, pool, report
from tallystick.demo.cast import ROLES
from tallystick.demo.committee import DemoCommittee
from tallystick.demo.data_folder import keep
from tallystick.demo.digits.quantized import load_samples
from tallystick.demo.operators import DemoOperator, altered
from tallystick.demo.probing import probe_operators
from tallystick.demo.verifier import (
    Data,
    DemoVerifier,
    Good,
    Malformed,
    Repeated,
    Withheld,
    Wrong,
    disprove,
)
from tallystick.demo.world import Stage, World, build
from tallystick.protocol.batch import PreImage
from tallystick.protocol.enums import Grade, Ruling, State
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.receipt import Receipt
from tallystick.replay.engine import Engine
from tallystick.storage.batch_store import BatchStore

GENESIS = 1_800_000_000
LIVE = 2 * live.A_REQUEST + 50
"""Samples kept for the part that runs by itself."""
APART = ("Docks", "Forum")
"""Networks with a part of their own."""
Tell = Callable[[str], None]


def run(tell: Tell, nodes: bool = True, data: Path | None = None) -> list[dict[str, Any]]:
    """Play the whole story on a local chain of its own.

    Args:
        tell: called with a line for each thing that happens.
        nodes: whether to play the part that needs processes of their own.
        data: a folder where what the chain and the stores have is kept; None: nowhere.

    Returns:
        A row per network, as of report.rows.
    """
    with (
        localnet(accounts=len(ROLES), timestamp=GENESIS) as w3,
        tempfile.TemporaryDirectory() as folder,
    ):
        tell("deploying the registry, its resolvers and the networks")
        world, store = build(w3, nodes), BatchStore(f"{folder}/batches")
        engine = Engine(world.model)
        receipts = _commit(world, engine, Path(folder), store, tell)
        if nodes:
            _live(world, engine, Path(folder), store, tell)
        findings = _verify(world, engine, store, tell)
        _pool(world, engine, Path(folder), store, tell)
        _probe(world, engine, tell)
        _grief(world, engine, findings, tell)
        _wait(world, tell)
        _check(world, receipts, tell)
        if data is not None:
            keep(world, store, data)
        return report.rows(world)


def _commit(world: World, engine: Engine, folder: Path, store: BatchStore, tell: Tell) -> Path:
    """Samples over six operators, three of whom cheat; return the receipts of a batch."""
    samples = load_samples(world.model)[pool.SAMPLES :]
    if "Docks" in world.stages:
        del samples[-LIVE:]

    def take(count: int) -> list[bytes]:
        taken = samples[:count]
        del samples[:count]
        return taken

    def operator(stage: Stage, name: str) -> DemoOperator:
        own = folder / name
        own.mkdir()
        return DemoOperator(world, stage, name, engine, own, store)

    operators = {
        name: operator(stage, name)
        for stage in world.stages.values()
        if stage.name not in APART
        for name in stage.operators
    }
    ada, bob, cyd, dan, eve, fay = operators.values()
    receipts = [ada.submit(ada.answer(take(size))).receipts for size in (390, 137, 1)]
    bob.submit(altered(bob.answer(take(200)), every=20))
    for size in (300, 59):
        cyd.submit(cyd.answer(take(size)))
    # Kept where nobody else looks.
    dan.submit(dan.answer(take(150)), BatchStore(str(dan.folder / "batches")))
    first = eve.answer(take(100))
    eve.submit(first)
    # Submit refuses a request that the lane has taken; from an empty store it cannot know.
    again = [*eve.answer(take(49)), first[42]]
    eve.publish(eve.submit(again, BatchStore(str(eve.folder / "batches"))))
    fay.submit(fay.answer(take(len(samples))))
    for stage in world.stages.values():
        committed = world.registry.totals(stage.id).committed
        if committed:
            tell(f"{stage.name}: {committed} inferences committed")
    return receipts[1]


def _live(world: World, engine: Engine, folder: Path, store: BatchStore, tell: Tell) -> None:
    """The last samples, over two operators; one is a process, one cheats; verifiers' processes."""
    stage, own = world.stages["Docks"], folder / "hal"
    own.mkdir()
    cheat = DemoOperator(world, stage, "hal", engine, own, store)
    samples = load_samples(world.model)[-LIVE:]
    live.run(world, stage, samples, cheat, folder, Path(store.url), tell)


def _pool(world: World, engine: Engine, folder: Path, store: BatchStore, tell: Tell) -> None:
    """The first samples, over two operators; one commits bait for auditors who don't look."""
    stage, operators = world.stages["Forum"], []
    for name in stage.operators:
        own = folder / name
        own.mkdir()
        operators.append(DemoOperator(world, stage, name, engine, own, store))
    honest, baiter = operators
    samples = load_samples(world.model)[: pool.SAMPLES]
    pool.run(world, samples, honest, baiter, DemoVerifier(world, engine, store), tell)


def _probe(world: World, engine: Engine, tell: Tell) -> None:
    """Ask who answers, of the operators that are no processes; those were asked while they ran."""
    stages = [stage for stage in world.stages.values() if stage.name != "Docks"]
    world.probes += probe_operators(world, engine, stages, load_samples(world.model)[0])
    answered = sum(one.answered for one in world.probes)
    tell(f"operators' endpoints answered {answered} of {len(world.probes)} probes")


def _verify(world: World, engine: Engine, store: BatchStore, tell: Tell) -> dict[bytes, Data]:
    """Look at each batch in the order of commits, and act on what is found."""
    verifier, committee = DemoVerifier(world, engine, store), DemoCommittee(world, engine)
    known: dict[bytes, Data] = {}
    for record in list(world.ledger().batches.values()):
        stage = world.stage_of(record.batch.network_id)
        if stage.name in APART:
            continue
        place = f"{stage.name}, batch 0x{record.id.hex()[:8]} of {record.batch.count}"
        match verifier.look(record):
            case Withheld():
                world.send_for(
                    stage, "verifier", "demand", record.batch.abi(), record.stamp.pack(), 0, False
                )
                tell(f"{place}: no data; leaf 0 demanded")
            case Repeated(data, index, earlier, earlier_index):
                before = world.ledger().batches[earlier.batch.id()]
                world.send_for(
                    stage,
                    "verifier",
                    "faultRepeat",
                    PreImage(record.batch, record.stamp).abi(),
                    data.opening(index).abi(),
                    before.pre_image.abi(),
                    earlier.opening(earlier_index).abi(),
                )
                tell(f"{place}: leaf {index} was counted before; proved, rejected")
            case Malformed(data, index, rule):
                tell(f"{place}: leaf {index} breaks the rule of {rule}")
            case Wrong(data, index, wrong):
                known[record.id] = data
                gas = disprove(world, record, data, index)
                tell(
                    f"{place}: {wrong} wrong answers; leaf {index} run again on chain "
                    f"for {gas:,} gas, rejected"
                )
            case Good(data):
                known[record.id] = data
                if stage.rules.attestors[0] == bytes(20):
                    tell(f"{place}: good; the network has no attestor, so it stays unchallenged")
                    continue
                signed = committee.audit(data, record.stamp)
                assert signed is not None
                world.send_for(
                    stage,
                    "verifier",
                    "attest",
                    record.batch.abi(),
                    record.stamp.pack(),
                    int(Grade.AUDITED),
                    signed,
                )
                tell(f"{place}: drawn leaves re-executed, audited by 2 of 3")
    return known


def _grief(world: World, engine: Engine, known: dict[bytes, Data], tell: Tell) -> None:
    """Somebody challenges a right answer, and loses the bond."""
    committee = DemoCommittee(world, engine)
    record = next(
        record
        for record in world.ledger().batches.values()
        if record.grade is Grade.AUDITED and record.batch.count == 59
    )
    ruling = _challenge(world, committee, "griefer", record, known[record.id], 7)
    bond = world.stage_of(record.batch.network_id).rules.challenge_bond
    tell(
        f"a right answer challenged: {ruling.name}; its author loses {bond / 10**18} ETH, "
        "half of it burned"
    )


def _challenge(
    world: World, committee: DemoCommittee, role: str, record: BatchState, data: Data, index: int
) -> Ruling:
    stage = world.stage_of(record.batch.network_id)
    opening = data.opening(index)
    world.send_for(stage, role, "challenge", record.batch.abi(), record.stamp.pack(), opening.abi())
    ruling, signed = committee.rule(data, index)
    disputed = world.ledger().batches[record.id].pre_image
    leaf = opening.inference.abi_leaf()
    world.send_for(stage, role, "resolve", disputed.abi(), leaf, signed)
    return ruling


def _wait(world: World, tell: Tell) -> None:
    """Let the windows pass: an unanswered demand times out, the rest becomes final."""
    advance(world.w3, max(stage.rules.response_window for stage in world.stages.values()) + 1)
    for record in world.ledger().batches.values():
        if record.state is State.DISPUTED:
            stage = world.stage_of(record.batch.network_id)
            world.send_for(stage, "verifier", "timeout", record.pre_image.abi())
            tell(f"{stage.name}: a demand of {record.batch.count} stayed unanswered; rejected")
    advance(world.w3, max(stage.rules.challenge_window for stage in world.stages.values()))
    lanes: dict[tuple[bytes, bytes], list[tuple[bytes, bytes]]] = {}
    for record in world.ledger().batches.values():
        if record.state is State.OPEN:
            lane = record.batch.network_id, record.batch.operator
            lanes.setdefault(lane, []).append((record.id, record.stamp.pack()))
    for (network, operator), refs in lanes.items():
        stage = world.stage_of(network)
        world.send_for(stage, "verifier", "finalize", refs, network, operator)
    tell(f"{sum(len(refs) for refs in lanes.values())} batches are final")


def _check(world: World, receipts: Path, tell: Tell) -> None:
    """A user looks at a receipt: by hashes alone, and then what the chain has to say of it."""
    receipt = Receipt.from_json(json.loads(receipts.read_text().splitlines()[7]))
    receipt.check()
    record = world.ledger().batches[receipt.batch_id]
    state = world.registry.state_of(record.pre_image, world.w3.eth.block_number)
    tell(
        f"a receipt of batch 0x{receipt.batch_id.hex()[:8]} checked: its leaf hashes to the root; "
        f"on chain the batch is {state.name}, {record.outcome.name}"
    )
