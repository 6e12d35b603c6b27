"""A committee of EOAs that signs what a test wants."""

from dataclasses import dataclass
from typing import Any

from tallystick.committee import Audit, Verdict
from tallystick.eip712 import Domain
from tallystick.enums import Ruling
from tallystick.signature import account_of, sign
from tests.support.chain import Chain

KEYS = [bytes([9]) * 31 + bytes([number]) for number in range(1, 16)]
MIN_STAKE = 1000
EXIT_DELAY = 30 * 24 * 3600


@dataclass
class Panel:
    """A deployed committee whose members' keys are known here."""

    chain: Chain
    contract: Any
    address: bytes

    @property
    def domain(self) -> Domain:
        return Domain(self.chain.registry.domain.chain_id, self.address)

    def sign(self, digest: bytes, members: list[int]) -> dict[int, bytes]:
        return {member: sign(digest, KEYS[member]) for member in members}

    def verdict(
        self, batch_id: bytes, index: int, leaf: bytes, ruling: Ruling, members: list[int]
    ) -> bytes:
        statement = Verdict(batch_id, index, leaf, ruling)
        return statement.evidence(self.sign(statement.digest(self.domain), members))

    def audit(self, batch_id: bytes, seed: bytes, drawn: int, members: list[int]) -> bytes:
        statement = Audit(batch_id, seed, drawn)
        return statement.evidence(self.sign(statement.digest(self.domain), members))


def found(
    chain: Chain,
    threshold: int,
    members: int,
    signers: list[bytes] | None = None,
    asset: bytes = bytes(20),
    min_drawn: int = 3,
    seed_delay: int = 2,
    exit_delay: int = EXIT_DELAY,
    staked: bool = True,
) -> Panel:
    """Deploy a committee; member i's stake is account i's, who stakes unless told otherwise."""
    signers = signers or [account_of(key) for key in KEYS[:members]]
    accounts = [chain.accounts[member % len(chain.accounts)] for member in range(members)]
    terms = (asset, threshold, min_drawn, seed_delay, exit_delay, MIN_STAKE)
    core = chain.w3.to_checksum_address(chain.registry.address)
    contract = chain.deploy("Committee", core, terms, list(zip(accounts, signers, strict=True)))
    panel = Panel(chain, contract, bytes.fromhex(contract.address[2:]))
    if staked:
        for member, account in enumerate(accounts):
            chain.transact(account, contract.functions.stake(member, MIN_STAKE), value=MIN_STAKE)
    return panel
