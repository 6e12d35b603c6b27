"""A deployed Pool, and the keys of its members: what they sign, truly or not."""

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import accumulate

from eth_abi import encode

from tallystick.chain.abi import contract
from tallystick.protocol.enums import Ruling
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import (
    PanelAudit,
    PanelVerdict,
    Record,
    domain_of,
    seat_of,
)
from tallystick.protocol.signature import account_of, sign
from tests.invariant import pool_model as plain
from tests.invariant.world import World

SECRETS = [bytes([9]) * 31 + bytes([number + 1]) for number in range(60)]
KEYS = [account_of(secret) for secret in SECRETS]
SECRET_OF = dict(zip(KEYS, SECRETS, strict=True))


class PoolContract:
    """Seeds, statements and signatures; whether they count is the plain model's word."""

    def __init__(
        self,
        world: World,
        owner: bytes,
        core: bytes,
        chain_id: int,
        terms: plain.Terms,
        spec: bytes,
        code: bytes | None = None,
    ) -> None:
        """`code`: creation code, if not the package's."""
        self.world, self.terms = world, terms
        values = (
            terms.asset,
            spec,
            terms.replay,
            terms.seat_stake,
            terms.min_seats,
            terms.panel,
            terms.min_drawn,
            terms.seed_delay,
            terms.exit_delay,
            terms.fee_per_leaf,
            terms.rule_fee,
        )
        built = contract("Pool")
        arguments = encode(built.constructor_types(), [core, values])
        self.address = world.deploy(owner, (code or built.bytecode) + arguments)
        self.domain = domain_of(chain_id, self.address)
        self._signatures: dict[tuple[bytes, bytes], bytes] = {}

    # Statements

    def seed(self, number: int) -> bytes:
        """The hash of a block, which the chain knows from then on as long as it keeps it."""
        return self.world.keep_hash(number)

    def chance(self, number: int, panel_id: bytes) -> plain.Chance:
        """Who is drawn: the seat of a place."""
        seed = self.seed(number)
        return lambda place, seats: seat_of(seed, panel_id, place, seats)

    def audit_digest(self, batch_id: bytes, number: int) -> bytes:
        return self.domain.digest(PanelAudit(batch_id, self.seed(number)).struct_hash())

    def verdict_digest(self, case_id: bytes, number: int, ruling: Ruling) -> bytes:
        return self.domain.digest(PanelVerdict(case_id, self.seed(number), ruling).struct_hash())

    def record(self, record: plain.Record | None) -> Record:
        return Record(self.seed(record.seed_block), record.keys) if record else Record()

    # Choices

    def signed(
        self,
        choose: random.Random,
        entries: Sequence[tuple[bytes, int]],
        size: int,
        needed: int,
        chance: plain.Chance,
        barred: Collection[bytes] = (),
    ) -> plain.Signed:
        """Mostly enough places of those that were drawn; else too few, or something is wrong."""
        held: dict[int, list[int]] = {}
        seats = [number for number, (_, count) in enumerate(entries) for _ in range(count)]
        for place in range(size if seats else 0):
            held.setdefault(seats[chance(place, len(seats))], []).append(place)
        order = choose.sample(sorted(held), len(held))
        if choose.random() < 0.95:
            order = [entry for entry in order if entries[entry][0] not in barred]
        wanted = choose.choice([needed] * 8 + [needed - 1, size, choose.randint(0, size)])
        found: list[plain.Claimed] = []
        count = 0
        for entry in order:
            if count >= wanted:
                break
            places = tuple(held[entry])
            found.append(plain.Claimed(entry, places, entries[entry][0]))
            count += len(places)
        found.sort(key=lambda one: one.entry)
        if choose.random() < 0.05:
            return _grasping(choose, found, entries, size, chance)
        if not found or choose.random() >= 0.2:
            return plain.Signed(tuple(found))
        return _spoiled(choose, found, size, len(entries))

    # Signatures

    def packed(self, digest: bytes, signed: plain.Signed) -> bytes:
        """As the contract reads them, in the order that is stated, right or wrong."""
        parts = []
        for one in signed.claims:
            mask = sum(1 << place for place in set(one.places))
            signature = self._sign(one.signer, digest)
            parts.append(one.entry.to_bytes(3, "big") + mask.to_bytes(8, "big") + signature)
        packed = b"".join(parts)
        return packed[:-1] if signed.cut else packed

    def _sign(self, signer: bytes | None, digest: bytes) -> bytes:
        if signer is None:
            signer, digest = KEYS[0], keccak256(digest)
        known = self._signatures.get((signer, digest))
        if known is None:
            known = self._signatures[signer, digest] = sign(digest, SECRET_OF[signer])
        return known


def _grasping(
    choose: random.Random,
    found: list[plain.Claimed],
    entries: Sequence[tuple[bytes, int]],
    size: int,
    chance: plain.Chance,
) -> plain.Signed:
    """Signatures of which one claims a place next to its own seats, if one was drawn there."""
    ends = list(accumulate(count for _, count in entries))
    for at in choose.sample(range(len(found)), len(found)):
        one = found[at]
        near = {ends[one.entry], ends[one.entry] - entries[one.entry][1] - 1}
        for place in range(size):
            if chance(place, ends[-1]) in near:
                places = tuple(sorted({*one.places, place}))
                rest = [
                    replace(other, places=tuple(p for p in other.places if p != place))
                    for other in found
                    if other is not one
                ]
                grown = [*(r for r in rest if r.places), replace(one, places=places)]
                return plain.Signed(tuple(sorted(grown, key=lambda each: each.entry)))
    return plain.Signed(tuple(found))


def _spoiled(
    choose: random.Random, found: list[plain.Claimed], size: int, entries: int
) -> plain.Signed:
    """Signatures of which one is wrong in one thing."""
    at = choose.randrange(len(found))
    one = found[at]
    other = found[at - 1]
    way = choose.randrange(9)
    if way == 0:
        return plain.Signed(tuple(found), cut=True)
    if way == 1:
        return plain.Signed((*found, one))
    if way == 2:
        return plain.Signed(tuple(found[::-1]))
    changed = {
        3: plain.Claimed(one.entry, one.places, None),
        4: plain.Claimed(one.entry, one.places, other.signer),
        5: plain.Claimed(one.entry, tuple({*one.places, other.places[0]}), one.signer),
        6: plain.Claimed(one.entry, (*one.places[1:], choose.choice([size, 63])), one.signer),
        7: plain.Claimed(entries, one.places, one.signer),
        8: plain.Claimed(one.entry, tuple({*one.places, choose.randrange(size)}), one.signer),
    }[way]
    return plain.Signed((*found[:at], changed, *found[at + 1 :]))
