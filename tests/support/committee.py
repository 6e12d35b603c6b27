"""A committee whose members' keys are known, and that signs what a test wants."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tallystick.actions import auditors
from tallystick.chain.call import Call
from tallystick.chain.committee import Committee as LibraryCommittee
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.opening import Opening
from tallystick.protocol.signature import account_of, sign
from tests.support.chain import Chain, Mined
from tests.support.story import Committed

KEYS = [bytes([9]) * 31 + bytes([number]) for number in range(1, 17)]
MIN_STAKE = 1000
EXIT_DELAY = 30 * 24 * 3600
DRAWN = 3
SEED_DELAY = 2

Sign = Callable[[bytes], bytes]


@dataclass
class Committee:
    """A deployed committee."""

    chain: Chain
    contract: Any
    address: bytes
    signs: list[Sign] = field(default_factory=list)
    """By member; those of KEYS unless told otherwise."""

    @property
    def domain(self) -> Domain:
        return Domain(self.chain.registry.domain.chain_id, self.address)

    def sign(self, digest: bytes, members: Iterable[int]) -> dict[int, bytes]:
        return {
            member: self.signs[member](digest) if self.signs else sign(digest, KEYS[member])
            for member in members
        }

    def verdict(
        self, batch_id: bytes, index: int, leaf: bytes, ruling: Ruling, members: list[int]
    ) -> bytes:
        statement = Verdict(batch_id, index, leaf, ruling)
        return statement.evidence(self.sign(statement.digest(self.domain), members))

    def seed(self, batch: Committed) -> bytes:
        """The seed of a batch's draw, after mining until the chain knows it."""
        number = batch.stamp.committed_block + SEED_DELAY
        head = self.chain.w3.eth.block_number
        if head <= number:
            self.chain.mine(number + 1 - head)
        return bytes(self.chain.w3.eth.get_block(number)["hash"])

    def audit(self, batch: Committed) -> Audit:
        """What an honest member says of a good batch."""
        return Audit(batch.id, batch.stamp.committed_at, self.seed(batch))

    def signed(self, audit: Audit, members: Iterable[int]) -> dict[int, bytes]:
        return self.sign(audit.digest(self.domain), members)

    def evidence(self, audit: Audit, members: Iterable[int]) -> bytes:
        return audit.evidence(self.signed(audit, members))

    def convict(self, batch: Committed, audit: Audit, signatures: dict[int, bytes]) -> Mined:
        """By what the registry has archived."""
        return self._send(auditors.convict(self._library, batch.batch, audit, signatures))

    def convict_on_evidence(
        self,
        batch: Committed,
        audit: Audit,
        signatures: dict[int, bytes],
        index: int,
        evidence: bytes,
        opening: Opening | None = None,
    ) -> Mined:
        """By what the arbiter says of a leaf."""
        shown = opening or Opening(batch.inferences[index], index, batch.tree.proof(index))
        return self._send(
            auditors.convict_on_evidence(
                self._library, batch.batch, audit, signatures, shown, evidence
            )
        )

    def stakes(self) -> list[int]:
        return [member.stake for member in self._library.members()]

    def active(self) -> int:
        return int(self.contract.functions.active().call())

    @property
    def _library(self) -> LibraryCommittee:
        return LibraryCommittee(self.chain.w3, self.address)

    def _send(self, call: Call) -> Mined:
        return self.chain.send_call(self.chain.accounts[9], call)


def found(
    chain: Chain,
    threshold: int,
    members: int,
    keys: list[bytes] | None = None,
    asset: bytes = bytes(20),
    min_drawn: int = DRAWN,
    seed_delay: int = SEED_DELAY,
    exit_delay: int = EXIT_DELAY,
    min_stake: int = MIN_STAKE,
    arbiter: bytes = bytes(20),
    core: bytes | None = None,
    staked: bool = True,
    signs: list[Sign] | None = None,
    accounts: list[str] | None = None,
) -> Committee:
    """Deploy a committee; member i's stake is account i's, who stakes unless told otherwise.

    ContractError if it is refused.
    """
    keys = keys if keys is not None else [account_of(key) for key in KEYS[:members]]
    members = [chain.accounts[member % len(chain.accounts)] for member in range(members)]
    places = [chain.w3.to_checksum_address(place) for place in (asset, arbiter)]
    terms = (places[0], threshold, min_drawn, seed_delay, exit_delay, min_stake, places[1])
    contract = chain.deploy(
        "Committee",
        chain.w3.to_checksum_address(core or chain.registry.address),
        terms,
        list(zip(accounts or members, keys, strict=True)),
    )
    committee = Committee(chain, contract, bytes.fromhex(contract.address[2:]), signs or [])
    if staked:
        for member, account in enumerate(members):
            chain.transact(account, contract.functions.stake(member, min_stake), value=min_stake)
    return committee
