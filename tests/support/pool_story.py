"""Networks that pools audit, beside one with its owner's own committee, in a data folder.

honest      all that the published floors ask: its audit counts
small bond  the same pool; a challenge costs less than two cases
low         a pool whose panel, draw and list are below the floors
held        a pool of which one account has more than a third
foreign     a pool for a spec that nobody published
friends     a committee that the network's owner fills
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.chain.deploy import create2_address, creation_code, deployment
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.enums import Grade
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.hexes import to_hex
from tallystick.replay.model import SPEC_ID
from tests.support.builds import abi
from tests.support.chain import Chain
from tests.support.committee import found
from tests.support.pool import Pool, terms
from tests.support.story import Committed, Network, register

FLOORS = {"spec": SPEC_ID, "panel": 15, "min_seats": 120, "min_drawn": 32, "rule_fee": 1}
"""Terms at the floors; the rest as tests have it."""
SEATS = 12
MEMBERS = range(12)
COUNT = 40
NOBODY = bytes(20)


@dataclass
class PoolStory:
    """A chain on which it was played."""

    chain: Chain
    pools: dict[str, Pool] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    batches: dict[str, Committed] = field(default_factory=dict)

    @property
    def registry(self) -> str:
        return to_hex(self.chain.registry.address)

    @property
    def url(self) -> str:
        return str(self.chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]

    def id(self, name: str) -> str:
        return to_hex(self.networks[name].id)

    def pool(self, name: str, **changes: Any) -> Pool:
        """Deploy a pool as the published list asks: by the deterministic deployer."""
        given = FLOORS | changes
        code = creation_code("Pool", self.registry, terms(**given))
        self.chain.send_call(self.chain.accounts[0], deployment(code))
        where = self.chain.w3.to_checksum_address(create2_address(code))
        contract = self.chain.w3.eth.contract(where, abi=abi("Pool"))
        self.pools[name] = Pool(self.chain, contract, given["panel"])
        return self.pools[name]

    def network(self, name: str, auditor: bytes, **changes: Any) -> Network:
        """Register a network with a QI8-1 model, and have the operator join it."""
        owner, given = self.chain.accounts[1], {"arbiter": auditor} | changes
        attestors = (auditor, NOBODY, NOBODY)
        made = register(self.chain, owner, salt=len(self.networks), attestors=attestors, **given)
        mined = self.chain.send(
            owner, "registerModel", made.id, b"c" * 32, SPEC_ID, ZERO32, name, ""
        )
        self.networks[name] = replace(made, model_id=mined.event(ModelRegistered).model_id)
        self.networks[name].join(self.operator)
        return self.networks[name]

    @property
    def operator(self) -> bytes:
        return self.chain.accounts[2]

    def audited(self, name: str, pool: Pool, count: int = COUNT) -> Committed:
        """Commit a batch, and have its panel sign it."""
        batch = self.networks[name].commit(self.operator, count)
        pool.audit(batch, pool.audited(batch)[1])
        self.batches[name] = batch
        return batch

    def finish(self) -> None:
        """Make each batch final."""
        self.chain.at(max(one.closes_at for one in self.batches.values()))
        for name, batch in self.batches.items():
            self.chain.send(
                self.operator, "finalize", [batch.ref], self.networks[name].id, self.operator
            )


def play(chain: Chain) -> PoolStory:
    """Play it; every batch is final at its end."""
    story = PoolStory(chain)
    drawn = story.pool("drawn")
    held = story.pool("held", seed_delay=9)
    low = story.pool("low", panel=9, min_seats=72, min_drawn=16)
    foreign = story.pool("foreign", spec=b"f" * 32)
    for member in MEMBERS:
        drawn.fund(drawn.member(member))
        drawn.enroll(member, SEATS)
    for member, seats in enumerate((60, 40, 40)):
        held.fund(held.member(member))
        held.enroll(member, seats)
    drawn.next_epoch()
    drawn.fund(story.operator)
    drawn.send(story.operator, "fund", 100_000)
    story.network("honest", drawn.address)
    story.network("small bond", drawn.address, challenge_bond=63)
    story.network("low", low.address)
    story.network("held", held.address)
    story.network("foreign", foreign.address)
    for name in ("honest", "small bond"):
        story.audited(name, drawn)
    friends = found(chain, 1, 1)
    own = story.network("friends", friends.address, arbiter=NOBODY, challenge_bond=0)
    batch = own.commit(story.operator, COUNT)
    evidence = friends.evidence(friends.audit(batch), [0])
    chain.send(
        *(story.operator, "attest", batch.batch.abi(), batch.stamp.pack()),
        *(int(Grade.AUDITED), evidence),
    )
    story.batches["friends"] = batch
    story.finish()
    return story


def extracted(story: PoolStory, folder: Path) -> list[object]:
    """Return the command that reads it into a data folder."""
    return ["extract", story.registry, "--rpc", story.url, "--data", folder, "--depth", "0"]
