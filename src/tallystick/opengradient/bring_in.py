"""Bring audited items in: commit them in a network of any chain, where the chain checks them.

The network's Enclave attestor and arbiter are one OpenGradientItem, whose endorsers stand for the
enclaves' keys. A batch of one is graded Enclave when it is committed: the attestor checks the
item's own signature. A larger batch stays Unchallenged, since each signature is one item's
and none the batch's; challenged, each of its leaves is upheld by its own signature, which the
parcel keeps.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.chain.call import encode_call
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.chain.view import read_view
from tallystick.enclave import Approval
from tallystick.enums import Grade
from tallystick.errors import FieldError
from tallystick.hexes import checksummed, to_hex
from tallystick.keys import Key, key_id, rsa_key
from tallystick.ledger import Ledger
from tallystick.opengradient.audit import Audited
from tallystick.opengradient.errors import OpenGradientError
from tallystick.opengradient.examine import read_items
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.parcels import Parcel, Parcels, split
from tallystick.opengradient.signatures import load_key
from tallystick.opengradient_item import Item
from tallystick.store import BatchStore
from tallystick.submit.journal import Journal
from tallystick.submit.plan import Order, Plan
from tallystick.submit.submitter import Preview, Submitted, Submitter
from tallystick.words import ZERO32, ZERO_ADDRESS

CONTRACT = "OpenGradientItem"
TIME_TO_COMMIT = 600
"""Seconds from planning a batch to its leaves' deadline; an item's age is measured there."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where items are brought in."""

    network_id: bytes
    model_id: bytes
    hashes_only: bool = False
    """The network lets demands ask for bytes, which are kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A parcel that is a batch now."""

    parcel: Parcel
    submitted: Submitted
    grade: Grade
    """That was reached at commit."""
    warnings: Sequence[str] = field(default_factory=tuple)


def verified_items(folder: Folder, results: Iterable[Audited]) -> list[list[SignedItem]]:
    """Return the items of each settlement that hold, in the order of the chain."""
    found = []
    for one in results:
        if one.settlement.item is not None:
            found.append([one.settlement.item] if one.verified else [])
        elif one.verified:
            columns = ["tee_id", "input_hash", "output_hash", "timestamp", "signature"]
            rows = read_items(folder, one.settlement, columns).take(one.counted).to_pylist()
            found.append([SignedItem(**row) for row in rows])
    return found


def key_of(der: bytes) -> Key | None:
    """Return an enclave's key as endorsers know it; None for one that the contracts refuse.

    Args:
        der: SubjectPublicKeyInfo in DER.
    """
    loaded = load_key(der)
    if loaded is None:
        return None
    numbers = loaded.public_numbers()
    try:
        return rsa_key(numbers.e, numbers.n)
    except FieldError:
        return None


class Importer:
    """Commits items in one operator's lane, once each.

    Args:
        registry: the core.
        sender: the operator.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        receipts: folder of receipts, journal and parcels.
        to: network and model.
        keys: enclaves' public keys by TEE id, SubjectPublicKeyInfo in DER.

    Raises:
        OpenGradientError: the network's Enclave attestor and arbiter aren't one OpenGradientItem.
    """

    def __init__(
        self,
        registry: Registry,
        sender: Sender,
        ledger: Callable[[], Ledger],
        now: Callable[[], int],
        store: BatchStore,
        receipts: Path,
        to: Destination,
        keys: Mapping[bytes, bytes],
    ) -> None:
        self._registry, self._sender, self._now, self._to = registry, sender, now, to
        journal = Journal(receipts / "journal.sqlite3")
        self._submitter = Submitter(registry, sender, ledger, now, store, journal, receipts)
        self._ders, self._keys = keys, dict[bytes, Key | None]()
        self._rules = registry.rules(to.network_id)
        self._resolver = self._rules.attestors[Grade.ENCLAVE - 1]
        if self._resolver == ZERO_ADDRESS or self._rules.arbiter != self._resolver:
            raise OpenGradientError(
                f"network {to_hex(to.network_id)} has {checksummed(self._resolver)} as Enclave "
                f"attestor and {checksummed(self._rules.arbiter)} as arbiter; "
                f"needed: one {CONTRACT} as both"
            )
        try:
            self._max_age = int(self._view("MAX_AGE"))
        except (ContractError, ValueError) as error:
            raise OpenGradientError(
                f"{checksummed(self._resolver)} is no {CONTRACT}: {error}"
            ) from error
        place = registry.address + to.network_id + sender.address
        self.parcels = Parcels(receipts, registry.w3.eth.chain_id.to_bytes(32, "big") + place)

    def plan(
        self, settlements: Iterable[Sequence[SignedItem]], singly: bool = False
    ) -> tuple[list[Parcel], Counter[str]]:
        """Return the parcels that are new here, and how many items cannot go, by reason.

        Args:
            settlements: items that an audit verified, of each settlement.
            singly: make each item a batch of one, for the Enclave grade.
        """
        reasons: Counter[str] = Counter()
        endorsements: dict[bytes, Any] = {}
        now = self._now()

        def fits(item: SignedItem) -> bool:
            reason = self._refusal(item, now, endorsements)
            reasons.update([reason] if reason else [])
            return reason is None

        fitting = (
            [item for item in self.parcels.new(items) if fits(item)] for items in settlements
        )
        return list(split(fitting, singly)), reasons

    def preview(self, parcel: Parcel) -> Preview:
        """Return what bringing a parcel in would do; its files are written, nothing is sent."""
        self.parcels.write(parcel)
        return self._submitter.preview(self._order(parcel))

    def bring(self, parcel: Parcel) -> Brought:
        """Commit a noted parcel, unless the chain has it, and write its receipts.

        Raises:
            SubmitError: the stake is too small, or the model is unknown.
            ContractError: core or attestor refuse it.
        """
        order = self._order(parcel)
        warnings: list[str] = []
        attestation = None
        if len(parcel.items) == 1:
            plan = self._noted(order)
            attestation = self._attestation(parcel.items[0], plan, warnings)
        done = self._submitter.submit(replace(order, attestation=attestation))
        self.parcels.brought(parcel)
        grade = Grade.UNCHALLENGED if attestation is None else Grade.ENCLAVE
        return Brought(parcel, done, grade, tuple(warnings))

    def _order(self, parcel: Parcel) -> Order:
        to = self._to
        path, deadline = self.parcels.lines(parcel), self._deadline(self._now())
        return Order(path, to.network_id, to.model_id, deadline, to.hashes_only, parcel.name)

    def _deadline(self, now: int) -> int:
        return now + min(TIME_TO_COMMIT, self._rules.challenge_window // 2)

    def _noted(self, order: Order) -> Plan:
        """Return the parcel's batch, fixed: an item is claimed for one batch id, and for good."""
        plan = self._submitter.preview(order).plan
        if not plan.committed and not plan.noted:
            self._submitter.note(order, plan)
        return plan

    def _attestation(
        self, signed: SignedItem, plan: Plan, warnings: list[str]
    ) -> tuple[Grade, bytes] | None:
        """Claim the item for its batch, and return the evidence for it; None: it cannot be."""
        item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
        batch_id = plan.batch.id()
        claimed = self._view("claimOf", self._sender.address, item.hash())
        if claimed not in (ZERO32, batch_id):
            warnings.append(
                f"item {to_hex(item.hash())} is claimed for batch {to_hex(claimed)}, so its batch "
                f"{to_hex(batch_id)} stays Unchallenged"
            )
            return None
        if claimed == ZERO32:
            self._sender.send(encode_call(CONTRACT, self._resolver, "claim", item.hash(), batch_id))
        key = self._key(signed.tee_id)
        if key is None:
            raise OpenGradientError(f"the key of TEE {to_hex(signed.tee_id)} is not here")
        inference = plan.records[0].inference(plan.batch.model_id, plan.batch.operator)
        return Grade.ENCLAVE, item.evidence(inference, key, signed.signature)

    def _refusal(self, item: SignedItem, now: int, endorsements: dict[bytes, Any]) -> str | None:
        """Return why the resolver would not take an item now."""
        key = self._key(item.tee_id)
        if key is None:
            return "key_missing"
        if item.timestamp > now:
            return "ahead_of_time"
        if self._deadline(now) - item.timestamp > self._max_age:
            return "too_old"
        if key not in endorsements:
            endorsements[key] = self._endorsement(key)
        approved, operator, first, last, revoked = endorsements[key]
        if not approved or revoked or operator != self._sender.address:
            return "key_not_endorsed"
        return None if first <= item.timestamp <= last else "key_not_valid"

    def _endorsement(self, key: Key) -> tuple[bool, bytes, int, int, bool]:
        found = self._view("endorsementOf", key_id(key))
        measurement, operator, first, last, revoked = found
        approved = self._view("approvalOf", measurement) == Approval.APPROVED
        return approved, bytes.fromhex(operator[2:]), first, last, revoked

    def _key(self, tee_id: bytes) -> Key | None:
        if tee_id not in self._keys:
            self._keys[tee_id] = key_of(self._ders.get(tee_id, b""))
        return self._keys[tee_id]

    def _view(self, name: str, *args: Any) -> Any:
        return read_view(self._registry.w3, CONTRACT, self._resolver, name, *args)
