"""What must hold of the pool after each step, whatever the actions were."""

from functools import cache
from typing import TYPE_CHECKING, Any

from eth_abi import decode
from eth_utils.abi import collapse_if_tuple

from tallystick.chain.abi import contract, signature_hash
from tallystick.chain.pool import Standing
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Cause, Ruling
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.pool import epoch_of, seat_of
from tests.invariant.compare import Mismatch
from tests.invariant.pool_model import EPOCH, Member
from tests.support import layout
from tests.support import pool_layout as pool

if TYPE_CHECKING:
    from tests.invariant.pool_machine import PoolMachine

CONVICTING = (Cause.ORDER, Cause.DEADLINE, Cause.RULING, Cause.DISPROOF)
KEPT = (-2, -1, 0, 1)
"""Epochs whose lists are kept, from the one that is."""


class PoolComparison:
    """Compares the pool of a machine with its model, and with what the pool itself promises."""

    def __init__(self, machine: "PoolMachine") -> None:
        self.machine = machine
        self._frozen: dict[int, list[int]] = {}
        """Words of each list that has begun: header and entries."""
        self._paid: dict[bytes, tuple[bytes, ...]] = {}
        """Keys on record of each batch that an escrow paid for."""
        self._seats: dict[bytes, int] = {}
        self._members: dict[bytes, int] = {}
        """Words before the transaction that is looked at."""
        self._escrows: dict[bytes, int] = {}
        self._let_go: set[bytes] = set()
        """Keys whose seats may fall in this transaction."""

    # Of a transaction

    def before(self) -> None:
        """Note what a transaction may change."""
        model = self.machine.pool_model
        self._members = {key: self._word(pool.member_slot(key)) for key in model.members}
        self._escrows = {one: self._word(pool.escrow_slot(one)) for one in model.escrows}
        self._let_go.clear()

    def seen(self, logs: list[tuple[list[bytes], bytes]]) -> None:
        """Look at what a transaction says that it did."""
        events = [_event(topics, data) for topics, data in logs]
        rejected = {
            told["batchId"]
            for name, told in events
            if name == "Ruled" and told["ruling"] == Ruling.REJECTED
        }
        for name, told in events:
            if name == "AuditStored":
                self._audit_stored(told)
            elif name == "Ruled":
                self._ruled(told)
            elif name == "Convicted":
                self._convicted(told, rejected)
            elif name == "Left":
                self._left(told["key"])
        for key, before in self._members.items():
            seats, then = self._seats_of(self._word(pool.member_slot(key))), self._seats_of(before)
            if seats < then and key not in self._let_go:
                raise Mismatch(
                    f"{then - seats} seats of 0x{key.hex()} are gone, and nobody says why"
                )

    def _audit_stored(self, told: dict[str, Any]) -> None:
        terms, batch_id = self.machine.pool.terms, told["batchId"]
        if batch_id in self._paid:
            raise Mismatch("an escrow pays for a batch again")
        masks = _masks(told["places"])
        self._paid[batch_id] = tuple(told["keys"])
        count = self._places(told["keys"], masks, terms.panel, terms.audit_places)
        entries = self._list(told["epoch"])
        seats = sum(size for _, _, size in entries)
        for key, mask in zip(told["keys"], masks, strict=True):
            if self._members[key] >> 88 & 0xFF == Standing.CONVICTED:
                raise Mismatch("a convicted key is on record")
            for place in range(terms.panel):
                if mask >> place & 1:
                    seat = seat_of(told["seed"], batch_id, place, seats)
                    holder = [one for one, first, size in entries if first <= seat < first + size]
                    self._same("holder of a place", holder, [key])
        cost = told["fee"] * (count + 1)
        operator = told["operator"]
        fell = self._escrows[operator] - self._word(pool.escrow_slot(operator))
        self._same("what an escrow paid", fell, cost)
        if cost > (terms.panel + 1) * terms.fee_per_leaf * terms.min_drawn:
            raise Mismatch(f"an escrow paid {cost} for an audit")

    def _ruled(self, told: dict[str, Any]) -> None:
        terms, ruling = self.machine.pool.terms, Ruling(told["ruling"])
        needed = terms.needed(ruling)
        self._places(told["keys"], _masks(told["places"]), terms.judges, needed)
        if set(told["keys"]) & set(self._paid.get(told["batchId"], ())):
            raise Mismatch("a signer of the audit judges it")

    def _convicted(self, told: dict[str, Any], rejected: set[bytes]) -> None:
        key, batch_id = told["key"], told["batchId"]
        if key not in self._paid.get(batch_id, ()):
            raise Mismatch("a key is convicted that is on no record of the batch")
        word = self.machine.world.word(self.machine.registry, layout.archive_slot(batch_id))
        if batch_id not in rejected and Cause(word >> 24 & 0xFF) not in CONVICTING:
            raise Mismatch("a key is convicted of nothing")
        stake = self._seats_of(self._members[key]) * self.machine.pool.terms.seat_stake
        self._same("stake that is taken", told["burned"] + told["share"], stake)
        self._let_go.add(key)

    def _left(self, key: bytes) -> None:
        word = self._members[key]
        exit_at = ((word >> 24 & 0xFFFFFF) + 1) * EPOCH + self.machine.pool.terms.exit_delay
        if self.machine.now < max(exit_at, word >> 48 & 0xFFFFFFFFFF):
            raise Mismatch("stake left before its exit, or a hold, was over")
        self._let_go.add(key)

    def _places(self, keys: list[bytes], masks: list[int], size: int, needed: int) -> int:
        """How many places signed; each once, enough of them, keys in order of their entries."""
        taken = 0
        for mask in masks:
            if not mask or mask & taken or mask >> size:
                raise Mismatch("a place is on record twice, or is none of the panel's")
            taken |= mask
        if len(keys) != len(masks) or taken.bit_count() < needed:
            raise Mismatch(f"{taken.bit_count()} places are on record, of {needed} needed")
        return taken.bit_count()

    # Of what is stored

    def words(self) -> None:
        """Look at every word that the pool may have written, and at what it holds."""
        machine, model, terms = self.machine, self.machine.pool_model, self.machine.pool.terms
        held = machine.donated
        for key, member in model.members.items():
            slot = pool.member_slot(key)
            word = self._word(slot)
            self._same("member", hex(word), hex(_member_word(member)))
            self._same("account", self._word(slot + 1), int.from_bytes(member.account, "big"))
            held += self._seats_of(word) * terms.seat_stake + (word >> 96)
        for operator, escrow in model.escrows.items():
            word = self._word(pool.escrow_slot(operator))
            expected = pool.escrow_word(escrow.balance, escrow.notice_at)
            self._same("escrow", hex(word), hex(expected))
            held += word & (1 << 128) - 1
        for account, credit in model.credits.items():
            found = self._word(pool.credit_slot(account))
            self._same("credit", found, credit)
            held += found
        for key in self._cases_seen():
            case_id, expected = key
            self._same("case", hex(self._word(pool.case_slot(case_id))), hex(expected))
        held += len(model.cases) * terms.case_fee
        burned = self._word(pool.BURNED)
        self._same("burned", burned, model.burned)
        self._same("what the pool owes", held + burned - machine.donated, model.owed())
        self._same("balance of the pool", self.balance(), held + burned)
        for batch in machine.batches[-40:]:
            record = model.records.get(batch)
            expected_record = machine.pool.record(record).hash()
            found = self._word(pool.record_slot(machine.id(batch)))
            self._same("record", found, int.from_bytes(expected_record, "big"))
        self._lists()

    def balance(self) -> int:
        """What the pool has of its asset."""
        asset, address = self.machine.pool.terms.asset, self.machine.pool.address
        if asset == ZERO_ADDRESS:
            return self.machine.world.balance(address)
        return self.machine.world.word(asset, layout.balance_slot(address))

    def undecided(self, batch_id: bytes, leaf: Any, place: int) -> None:
        """Ask the pool for a ruling, as anybody may: it has none outside `ruled`."""
        machine = self.machine
        call = machine.pool_call("rule", batch_id, leaf, place, b"")
        answer = machine.world.ask(machine.pool.address, call)
        self._same("ruling outside ruled", int.from_bytes(answer, "big"), int(Ruling.UNDECIDED))

    def _cases_seen(self) -> list[tuple[bytes, int]]:
        """Words that all cases there ever were must have."""
        machine = self.machine
        open_ = {
            machine.case_ids[key]: pool.case_word(
                one.payer, one.seed_block, one.epoch, one.challenged
            )
            for key, one in machine.pool_model.cases.items()
        }
        return [(one, open_.get(one, 0)) for one in set(machine.case_ids.values())]

    def _lists(self) -> None:
        model, now = self.machine.pool_model, epoch_of(self.machine.now)
        for away in KEPT:
            epoch = now + away
            expected, first = [], 0
            for key, seats in model.lists.get(epoch, []):
                expected.append((key, first, seats))
                first += seats
            found = self._list(epoch)
            self._same("list", found, expected)
            if away <= 0:
                words = [self._word(pool.header_slot(epoch))]
                words += [self._word(pool.entry_slot(epoch, entry)) for entry in range(len(found))]
                if self._frozen.setdefault(epoch, words) != words:
                    raise Mismatch(f"the list of {epoch} changed after the epoch had begun")

    def _list(self, epoch: int) -> list[tuple[bytes, int, int]]:
        """Entries as the pool has them: key, first seat, seats; they tile what the header says."""
        header = self._word(pool.header_slot(epoch))
        seats, entries, found = header & (1 << 40) - 1, header >> 40, []
        covered = 0
        for entry in range(entries):
            word = self._word(pool.entry_slot(epoch, entry))
            key, first, size = (
                (word & (1 << 160) - 1).to_bytes(20, "big"),
                word >> 160 & (1 << 40) - 1,
                word >> 200,
            )
            if first != covered or size == 0:
                raise Mismatch(f"entry {entry} of {epoch} begins at {first}, not {covered}")
            covered += size
            found.append((key, first, size))
        self._same("seats of a list", covered, seats)
        return found

    def _word(self, slot: int) -> int:
        return self.machine.world.word(self.machine.pool.address, slot)

    @staticmethod
    def _seats_of(word: int) -> int:
        return word & (1 << pool.SEAT_BITS) - 1

    @staticmethod
    def _same(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise Mismatch(f"{what}: pool has {found}, model {expected}")


def _member_word(member: Member) -> int:
    return pool.member_word(
        member.seats, member.last_epoch, member.held_until, member.standing, member.earned
    )


def _masks(places: bytes) -> list[int]:
    return [int.from_bytes(places[at : at + 8], "big") for at in range(0, len(places), 8)]


@cache
def _events() -> dict[bytes, dict[str, Any]]:
    return {signature_hash(one): one for one in contract("Pool").abi if one["type"] == "event"}


def _event(topics: list[bytes], data: bytes) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a log; addresses as bytes."""
    entry = _events()[topics[0]]
    indexed = [one for one in entry["inputs"] if one["indexed"]]
    rest = [one for one in entry["inputs"] if not one["indexed"]]
    told: dict[str, Any] = {}
    for one, topic in zip(indexed, topics[1:], strict=True):
        told[one["name"]] = decode([one["type"]], topic)[0]
    values = decode([collapse_if_tuple(one) for one in rest], data)
    told |= dict(zip((one["name"] for one in rest), values, strict=True))
    return entry["name"], {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return from_hex(value, 20)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
