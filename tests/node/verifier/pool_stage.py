"""Verifiers in a pool of nine places, and batches of the digits model that it audits and judges."""

from pathlib import Path
from typing import Any

from tallystick.demo.digits.model import content_hash, load_samples, spec_hash
from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tests.node.verifier.stage import BOND, OPERATOR, RULES, STAKE, VERIFIERS, Stage
from tests.support.chain import Chain
from tests.support.pool import Pool, deploy
from tests.support.story import fund, register

SEATS = 30
"""Of each verifier."""
ABSENT, ABSENT_SEATS = 8, 6
"""A member without a node."""
ESCROW = 100_000


class PoolStage(Stage):
    """A network on digits, audited and judged by a pool."""

    pool: Pool

    def settings(self, name: str, **changes: Any) -> dict[str, Any]:
        own = {"pool": {"address": to_hex(self.pool.address), "seats": SEATS}, "committees": []}
        return super().settings(name, **(own | changes))

    def blocks(self) -> None:
        """Have the blocks mined that the seeds of batches and cases so far hang on."""
        self.chain.mine(10)

    def enroll_absent(self) -> None:
        """Have a member without a node sit in the next epoch's list."""
        self.pool.fund(self.chain.accounts[ABSENT])
        self.pool.enroll(ABSENT, ABSENT_SEATS)


def pool_stage(chain: Chain, folder: Path) -> PoolStage:
    """Deploy a pool without members, whose verifiers have credit for their seats."""
    pool = deploy(chain, spec=spec_hash())
    places = (pool.address, ZERO_ADDRESS, ZERO_ADDRESS)
    owner = chain.accounts[1]
    network = register(chain, owner, salt=9, arbiter=pool.address, attestors=places, **RULES)
    hashes = (content_hash(), spec_hash(), ZERO32)
    mined = chain.send(owner, "registerModel", network.id, *hashes, "digits", "digits.onnx")
    network.model_id = mined.event(ModelRegistered).model_id
    operator = chain.accounts[OPERATOR]
    network.join(operator, STAKE)
    pool.fund(operator)
    pool.send(operator, "fund", ESCROW)
    for number in VERIFIERS:
        fund(chain, ZERO_ADDRESS, chain.accounts[number], 10 * BOND)
        pool.fund(chain.accounts[number])
    made = PoolStage(
        chain,
        None,
        None,
        network,
        folder / "batches",
        folder,
        load_samples(),  # type: ignore[arg-type]
    )
    made.pool = pool
    return made
