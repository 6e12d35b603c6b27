"""The committee's members: each re-executes what is drawn or disputed, and signs what it found."""

from collections.abc import Callable

from web3 import Web3

from tallystick.chain.localnet import mine
from tallystick.demo.cast import MEMBERS, account
from tallystick.demo.verifier import Data, right
from tallystick.demo.world import DRAWN, SEED_DELAY, World
from tallystick.protocol.batch import Stamp
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.enums import Ruling
from tallystick.protocol.sampling import draw
from tallystick.protocol.signature import sign
from tallystick.replay.engine import Engine

THRESHOLD = 2


class DemoCommittee:
    """All members in one process; each decides by itself."""

    def __init__(self, world: World, engine: Engine) -> None:
        self._world, self._engine = world, engine

    def audit(self, data: Data, stamp: Stamp) -> bytes | None:
        """Return evidence that enough members found every drawn leaf good, or None."""
        seed = block_hash(self._world.w3, stamp.committed_block + SEED_DELAY)
        batch_id = data.batch.id()
        drawn = sorted(set(draw(seed, batch_id, DRAWN, data.batch.count)))
        committee = self._world.auditors_of(data.batch.network_id)
        statement = Audit(batch_id, stamp.committed_at, seed)
        digest = statement.digest(self._world.domain_of(committee))
        signatures = self._collect(digest, lambda: all(right(self._engine, data, drawn)))
        return statement.evidence(signatures) if len(signatures) >= THRESHOLD else None

    def rule(self, data: Data, index: int) -> tuple[Ruling, bytes]:
        """Return the members' ruling on a leaf, and the evidence for it."""
        ruling = Ruling.UPHELD if right(self._engine, data, [index])[0] else Ruling.REJECTED
        verdict = Verdict(data.batch.id(), index, data.tree.leaf(index), ruling)
        digest = verdict.digest(self._world.domain_of(self._world.judges))
        return ruling, verdict.evidence(self._collect(digest, lambda: True))

    def _collect(self, digest: bytes, agrees: Callable[[], bool]) -> dict[int, bytes]:
        """Signatures of the first members that agree, each after its own re-execution."""
        signatures: dict[int, bytes] = {}
        for member in range(MEMBERS):
            if len(signatures) < THRESHOLD and agrees():
                signatures[member] = sign(digest, bytes(account(f"member {member}").key))
        return signatures


def block_hash(w3: Web3, number: int) -> bytes:
    """Return a block's hash, after mining up to it and one beyond where time stands still."""
    if w3.eth.block_number <= number:
        mine(w3, number + 1 - w3.eth.block_number)
    return bytes(w3.eth.get_block(number)["hash"])
