"""The part of the story that a pool audits: drawn auditors, and bait for those who don't look.

Twelve keys hold the seats. Nine sign whatever is asked of them; an operator commits a batch with a
wrong leaf, which they audit, and whoever has the model run again on chain gets a sixteenth of the
stakes that they lose.
"""

from collections.abc import Callable, Sequence

from tallystick.chain.pool import Pool
from tallystick.demo.cast import AUDITORS, CARELESS, account
from tallystick.demo.committee import block_hash
from tallystick.demo.operators import DemoOperator, altered
from tallystick.demo.verifier import Data, DemoVerifier, Good, Wrong, disprove, right
from tallystick.demo.world import ETHER, World
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.pool import (
    PanelAudit,
    Record,
    SignedPlaces,
    epoch_of,
    pack_signatures,
    places_of,
)
from tallystick.protocol.record import InferenceRecord
from tallystick.protocol.sampling import draw
from tallystick.protocol.signature import sign
from tallystick.replay.engine import Engine

Tell = Callable[[str], None]

GOOD, BAIT = 80, 30
"""Inferences of the honest batch, and of a bait: few enough that every leaf is drawn."""
SAMPLES = GOOD + BAIT
TRIES = 4
"""Baits; one in several thousand finds too few careless auditors on its panel."""
ESCROW = ETHER // 100


def run(
    world: World,
    samples: Sequence[bytes],
    honest: DemoOperator,
    baiter: DemoOperator,
    verifier: DemoVerifier,
    tell: Tell,
) -> None:
    """Play it.

    Args:
        world: the chain; the auditors' epoch has begun.
        samples: SAMPLES of them.
        honest: its batch is audited.
        baiter: an operator that looks for auditors who don't look.
        verifier: compares, brings the signatures to the pool, and has the model run again on chain.
        tell: called with a line for each thing that happens.
    """
    auditors = Auditors(world, verifier.engine)
    for operator in (honest, baiter):
        send = world.senders[operator.name].send
        send(auditors.pool.call("deposit", operator.address, ESCROW, value=ESCROW))
        send(auditors.pool.call("fund", ESCROW))
    stage, good, bait = honest.stage, samples[:GOOD], samples[GOOD:]
    record = _committed(world, honest, honest.answer(good))
    found = verifier.look(record)
    assert isinstance(found, Good)
    signed = auditors.audit(record, found.data)
    assert signed is not None
    tell(
        f"{stage.name}, batch 0x{record.id.hex()[:8]} of {GOOD}: good; "
        f"audited by {len(signed.keys)} auditors whom the chain drew from {AUDITORS}"
    )
    for _ in range(TRIES):
        record = _committed(world, baiter, altered(baiter.answer(bait), every=BAIT))
        found = verifier.look(record)
        assert isinstance(found, Wrong)
        signed = auditors.audit(record, found.data)
        disprove(world, record, found.data, found.index)
        if signed is not None:
            break
        tell(f"{stage.name}: a bait found too few careless auditors on its panel; rejected")
    else:
        raise AssertionError("no panel of careless auditors")
    stake = auditors.convict(record, signed)
    tell(
        f"{stage.name}, bait 0x{record.id.hex()[:8]} of {BAIT}: "
        f"audited by {len(signed.keys)} who did not look, then run again on chain, rejected; "
        f"they lose {stake / ETHER} ETH, a sixteenth of it to whoever showed it"
    )


class Auditors:
    """All keys of the pool in one process; each decides by itself."""

    def __init__(self, world: World, engine: Engine) -> None:
        self._world, self._engine = world, engine
        self.pool = Pool(world.w3, world.pool)
        self._numbers = {world.senders[f"auditor {one}"].address: one for one in range(AUDITORS)}

    def audit(self, record: BatchState, data: Data) -> Record | None:
        """Have a batch's panel sign, and the pool store it; return who signed.

        None: too few of the panel's places would sign.
        """
        world, terms = self._world, self.pool.terms()
        seed = block_hash(world.w3, record.stamp.committed_block + terms.seed_delay)
        entries = self.pool.entries(epoch_of(record.stamp.committed_at))
        digest = self.pool.domain.digest(PanelAudit(record.id, seed).struct_hash())
        drawn = draw(seed, record.id, terms.min_drawn, record.batch.count)
        signed: dict[int, SignedPlaces] = {}
        for entry, places in places_of(entries, seed, record.id, terms.panel).items():
            number = self._numbers[entries[entry].key]
            if number in CARELESS or all(right(self._engine, data, drawn)):
                key = bytes(account(f"auditor {number}").key)
                signed[entry] = SignedPlaces(tuple(places), sign(digest, key))
        if sum(len(one.places) for one in signed.values()) < terms.quorums.audit:
            return None
        model = world.senders["owner"].address, world.model.content_hash(), ZERO32
        call = self.pool.call("audit", record.pre_image.abi(), model, pack_signatures(signed))
        stage = world.stage_of(record.batch.network_id)
        world.sender_for(stage, "verifier").send(call)
        return Record(seed, tuple(entries[entry].key for entry in signed))

    def convict(self, record: BatchState, signed: Record) -> int:
        """Take the stakes of who signed a rejected batch; return their sum, in wei."""
        world, held = self._world, self.pool.members(list(signed.keys))
        stage = world.stage_of(record.batch.network_id)
        call = self.pool.call("convict", record.batch.abi(), signed.abi())
        world.sender_for(stage, "verifier").send(call)
        kept = self.pool.members(list(signed.keys))
        lost = sum(one.seats for one in held) - sum(one.seats for one in kept)
        return lost * self.pool.terms().seat_stake


def _committed(
    world: World, operator: DemoOperator, records: Sequence[InferenceRecord]
) -> BatchState:
    batch = operator.submit(records).plan.batch
    return world.ledger().batches[batch.id()]
