"""A pool's events: records of audits, cases that are open, and what a key earned."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from web3 import Web3

from tallystick.chain.abi import contract
from tallystick.chain.pool import Pool
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.pool import NO_RECORD, Record

TAIL = 64
"""Blocks that are read again at each look: they may be of a fork."""
_PLACES_SIZE = 8
"""Bytes of a key's places in an event."""
_RANGE = 2_000
"""Blocks of one request."""


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case as the chain told of it."""

    id: bytes
    batch_id: bytes
    leaf_index: int
    payer: bytes
    seed_block: int
    epoch: int
    challenged: bool


@dataclass(slots=True)
class _Told:
    records: dict[bytes, Record] = field(default_factory=dict)
    cases: dict[bytes, OpenedCase] = field(default_factory=dict)
    convicted: set[bytes] = field(default_factory=set)
    """Batches."""
    expired: Counter[bytes] = field(default_factory=Counter)
    """How often nobody ruled, by case and by batch."""
    audits: int = 0
    rulings: int = 0
    earned: int = 0

    def copy(self) -> "_Told":
        return _Told(
            dict(self.records),
            dict(self.cases),
            set(self.convicted),
            self.expired.copy(),
            self.audits,
            self.rulings,
            self.earned,
        )

    def add(self, name: str, args: Any, key: bytes, rule_fee: int) -> None:
        """Take in one event, as `key` sees it."""
        if name == "CaseOpened":
            self.cases[bytes(args["caseId"])] = OpenedCase(
                bytes(args["caseId"]),
                bytes(args["batchId"]),
                args["leafIndex"],
                from_hex(args["payer"]),
                args["seedBlock"],
                args["epoch"],
                args["challenged"],
            )
        elif name == "CaseExpired":
            case = self.cases.pop(bytes(args["caseId"]), None)
            if case is not None:
                self.expired.update((case.id, case.batch_id))
        elif name == "Convicted":
            self.convicted.add(bytes(args["batchId"]))
        elif name in ("AuditStored", "Ruled"):
            keys = tuple(from_hex(one) for one in args["keys"])
            fee = args["fee"] if name == "AuditStored" else rule_fee
            if key in keys:
                self.audits += name == "AuditStored"
                self.rulings += name == "Ruled"
                at = _PLACES_SIZE * keys.index(key)
                places = int.from_bytes(args["places"][at : at + _PLACES_SIZE])
                self.earned += fee * places.bit_count()
            if from_hex(args["sender"]) == key:
                self.earned += fee
            if name == "Ruled":
                self.cases.pop(bytes(args["caseId"]), None)
            else:
                self.records[bytes(args["batchId"])] = Record(bytes(args["seed"]), keys)


class PoolEvents:
    """Facts that a pool's events tell up to the chain's head; threads may share it.

    Args:
        pool: the contract.
        key: whose earnings are counted, 20 bytes.
        first_block: where reading begins.
    """

    def __init__(self, pool: Pool, key: bytes, first_block: int) -> None:
        self._pool, self._key, self._next = pool, key, first_block
        self._rule_fee = pool.terms().rule_fee
        self._settled, self._told = _Told(), _Told()
        names = ("AuditStored", "CaseOpened", "CaseExpired", "Ruled", "Convicted")
        abi = [one for one in contract("Pool").abi if one.get("name") in names]
        self._address = Web3.to_checksum_address(pool.address)
        made = pool.w3.eth.contract(self._address, abi=abi)
        self._kinds = {bytes(from_hex(made.events[name]().topic)): name for name in names}
        self._events = made.events
        self._lock = threading.Lock()

    def sync(self) -> None:
        """Read what is new."""
        with self._lock:
            head = self._pool.w3.eth.block_number
            firm = max(head - TAIL, self._next - 1)
            while self._next <= firm:
                last = min(firm, self._next + _RANGE - 1)
                settled = self._settled.copy()
                self._read(settled, self._next, last)
                self._settled, self._next = settled, last + 1
            told = self._settled.copy()
            if head >= self._next:
                self._read(told, self._next, head)
            self._told = told

    def record(self, batch_id: bytes) -> Record:
        """Return who signed a batch's audit; without keys where there is none."""
        return self._told.records.get(batch_id, NO_RECORD)

    def recorded(self) -> list[bytes]:
        """Return the batches that have a record."""
        return list(self._told.records)

    def cases(self) -> list[OpenedCase]:
        """Return the open cases, the oldest first."""
        return list(self._told.cases.values())

    def expired(self, key: bytes) -> int:
        """Return how often a case, or any case of a batch, ended without a ruling."""
        return self._told.expired[key]

    def is_convicted(self, batch_id: bytes) -> bool:
        """Return whether signers of a batch's audit were convicted."""
        return batch_id in self._told.convicted

    @property
    def audits(self) -> int:
        """Audits on chain that the key signed."""
        return self._told.audits

    @property
    def rulings(self) -> int:
        """Rulings on chain that the key signed."""
        return self._told.rulings

    @property
    def earned(self) -> int:
        """Fees of the key's places, and for what it sent, in units of the asset."""
        return self._told.earned

    def _read(self, told: _Told, first: int, last: int) -> None:
        logs = self._pool.w3.eth.get_logs(
            {"address": self._address, "fromBlock": first, "toBlock": last}
        )
        for log in logs:
            name = self._kinds.get(bytes(log["topics"][0]))
            if name is not None:
                args = self._events[name]().process_log(log)["args"]
                told.add(name, args, self._key, self._rule_fee)
