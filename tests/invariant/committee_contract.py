"""A deployed Committee, and the keys of its members: what they sign, truly or not."""

import random
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from eth_abi import encode

from tallystick.chain.abi import contract
from tallystick.protocol.abi_words import ZERO_ADDRESS, uint
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import P256_ORDER, p256_key
from tallystick.protocol.sampling import draw
from tallystick.protocol.signature import account_of, sign
from tests.invariant import committee_model as plain
from tests.invariant.world import World

SECRETS = [bytes([7]) * 31 + bytes([number]) for number in (1, 2, 3)]
P256 = ec.derive_private_key(0x7A11, ec.SECP256R1())
"""The fourth member's."""
MIN_STAKE = 1000


def _p256() -> bytes:
    point = P256.public_key().public_numbers()
    return p256_key(point.x, point.y)


KEYS = [*(account_of(secret) for secret in SECRETS), _p256()]


class CommitteeContract:
    """Statements and signatures; whether they count is the plain model's word."""

    def __init__(
        self,
        world: World,
        owner: bytes,
        core: bytes,
        chain_id: int,
        terms: plain.Terms,
        accounts: list[bytes],
    ) -> None:
        self.terms, self.accounts = terms, accounts
        values = (
            ZERO_ADDRESS,
            terms.threshold,
            terms.min_drawn,
            terms.seed_delay,
            terms.exit_delay,
            terms.min_stake,
            terms.arbiter,
        )
        built = contract("Committee")
        members = list(zip(accounts, KEYS, strict=True))
        arguments = encode(built.constructor_types(), [core, values, members])
        self.address = world.deploy(owner, built.bytecode + arguments)
        self.domain = Domain(chain_id, self.address)
        self.made: list[tuple[plain.Audit, plain.Signed]] = []
        """Audits that somebody has signed, good and bad."""
        self._signatures: dict[tuple[int, bytes], bytes] = {}

    # Statements

    def seed(self, audit: plain.Audit) -> bytes:
        """The seed that the audit states: the in-process chain's hash of a block, or nobody's."""
        number = audit.seed_block
        return keccak256(b"own" if number is None else b"%d" % number)

    def audit(self, audit: plain.Audit, batch_id: bytes) -> Audit:
        return Audit(batch_id, audit.committed_at, self.seed(audit), audit.verdict)

    def drawn(self, audit: plain.Audit, batch_id: bytes, count: int) -> set[int]:
        return set(draw(self.seed(audit), batch_id, self.terms.min_drawn, count))

    def sign_audit(self, audit: plain.Audit, batch_id: bytes, signed: plain.Signed) -> bytes:
        return self._packed(self.audit(audit, batch_id).digest(self.domain), signed)

    def audit_evidence(self, audit: plain.Audit, batch_id: bytes, signed: plain.Signed) -> bytes:
        return self.audit(audit, batch_id).evidence({}) + self.sign_audit(audit, batch_id, signed)

    def verdict_evidence(
        self, batch_id: bytes, place: int, leaf: bytes, ruling: Ruling, signed: plain.Signed
    ) -> bytes:
        statement = Verdict(batch_id, place, leaf, ruling)
        return statement.evidence({}) + self._packed(statement.digest(self.domain), signed)

    # Choices

    def signers(self, choose: random.Random, active: set[int]) -> plain.Signed:
        """Mostly enough members that count; else too few, some that do not, or a malformed list."""
        everybody = range(len(KEYS))
        of = sorted(active) if choose.random() < 0.9 else list(everybody)
        most = len(of)
        number = (
            min(most, self.terms.threshold) if choose.random() < 0.7 else choose.randint(0, most)
        )
        members = tuple(sorted(choose.sample(of, number)))
        if not members or choose.random() >= 0.1:
            return plain.Signed(members)
        way = choose.randrange(5)
        if way == 0:
            return plain.Signed(members, bad={choose.choice(members)})
        if way == 1:
            return plain.Signed(members, cut=True)
        if way == 2:
            return plain.Signed((*members, members[-1]))
        if way == 3:
            return plain.Signed((*members, len(KEYS)), bad={len(KEYS)})
        return plain.Signed(members[::-1])

    def statement(self, choose: random.Random, batch: Any, other: Any, block: int) -> plain.Audit:
        """Mostly a true one; else of another batch, time, seed, or with a bad verdict."""
        true = plain.Audit(batch, batch.committed_at, batch.block + self.terms.seed_delay)
        if choose.random() < 0.85:
            return true
        way = choose.randrange(5)
        if way == 0:
            return plain.Audit(other, batch.committed_at, true.seed_block)
        if way == 1:
            return plain.Audit(batch, batch.committed_at + choose.choice([-1, 1]), true.seed_block)
        if way == 2:
            return plain.Audit(batch, batch.committed_at, choose.choice([None, block - 1, block]))
        if way == 3:
            return plain.Audit(batch, batch.committed_at, true.seed_block, verdict=False)
        return plain.Audit(batch, batch.committed_at, None)

    # Signatures

    def _packed(self, digest: bytes, signed: plain.Signed) -> bytes:
        """As a contract reads them, in the order that is stated, right or wrong."""
        found = b""
        for member in signed.members:
            other = keccak256(digest) if member in signed.bad else digest
            signature = self._sign(member % len(KEYS), other)
            found += bytes([member]) + len(signature).to_bytes(2, "big") + signature
        return found[:-1] if signed.cut else found

    def _sign(self, member: int, digest: bytes) -> bytes:
        known = self._signatures.get((member, digest))
        if known is None:
            account = member < len(SECRETS)
            known = sign(digest, SECRETS[member]) if account else _sign_p256(digest)
            self._signatures[member, digest] = known
        return known


def _sign_p256(digest: bytes) -> bytes:
    der = P256.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    r, s = utils.decode_dss_signature(der)
    return uint(r) + uint(min(s, P256_ORDER - s))
