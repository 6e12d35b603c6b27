"""A resolver of enclaves' keys, whose endorsers sign what a test wants."""

from dataclasses import dataclass
from typing import Any

from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enclave import (
    Endorsement,
    approval_digest,
    key_revocation_digest,
    measurement_revocation_digest,
    packed,
)
from tallystick.protocol.signature import account_of, sign
from tests.support.chain import Chain, Mined
from tests.support.keys import HeldKey

ENDORSER_KEYS = [bytes([8]) * 31 + bytes([number]) for number in range(1, 4)]
MEASUREMENT = b"m" * 32


def address_of(contract: Any) -> bytes:
    return bytes.fromhex(contract.address[2:])


@dataclass
class Endorsed:
    """A deployed resolver whose endorsers' keys are known here: two of three EOAs."""

    chain: Chain
    contract: Any

    @property
    def address(self) -> bytes:
        return address_of(self.contract)

    @property
    def domain(self) -> Domain:
        return Domain(self.chain.registry.domain.chain_id, self.address)

    def signatures(self, digest: bytes, endorsers: tuple[int, ...] = (0, 1)) -> dict[int, bytes]:
        return {endorser: sign(digest, ENDORSER_KEYS[endorser]) for endorser in endorsers}

    def approve(self, measurement: bytes = MEASUREMENT) -> Mined:
        signatures = packed(self.signatures(approval_digest(self.domain, measurement)))
        return self._send(self.contract.functions.approveMeasurement(measurement, signatures))

    def revoke_measurement(self, measurement: bytes = MEASUREMENT) -> Mined:
        digest = measurement_revocation_digest(self.domain, measurement)
        signatures = packed(self.signatures(digest))
        return self._send(self.contract.functions.revokeMeasurement(measurement, signatures))

    def revoke_key(self, key: HeldKey) -> Mined:
        signatures = packed(self.signatures(key_revocation_digest(self.domain, key.id)))
        return self._send(self.contract.functions.revokeKey(key.id, signatures))

    def statement(
        self,
        key: HeldKey,
        operator: bytes,
        measurement: bytes = MEASUREMENT,
        not_before: int = 0,
        not_after: int = 2**40 - 1,
    ) -> Endorsement:
        return Endorsement(key.key, measurement, operator, not_before, not_after)

    def endorse(
        self,
        key: HeldKey,
        operator: bytes,
        endorsers: tuple[int, ...] = (0, 1),
        **changes: Any,
    ) -> Mined:
        statement = self.statement(key, operator, **changes)
        signatures = self.signatures(statement.digest(self.domain), endorsers)
        named, measurement, operator, *rest = statement.arguments(signatures)
        account = self.chain.w3.to_checksum_address(operator)
        return self._send(self.contract.functions.endorse(named, measurement, account, *rest))

    def _send(self, function: Any) -> Mined:
        return self.chain.transact(self.chain.accounts[8], function)


def endorsed(chain: Chain, name: str, *args: Any) -> Endorsed:
    """Deploy a resolver that trusts two of three endorsers, and approve the measurement."""
    keys = [account_of(key) for key in ENDORSER_KEYS]
    resolver = Endorsed(chain, chain.deploy(name, keys, 2, *args))
    resolver.approve()
    return resolver
