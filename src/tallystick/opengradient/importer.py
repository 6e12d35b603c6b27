"""Bring audited items in: commit them in a network of any chain, where the chain checks them.

The network's Enclave attestor and arbiter are one OpenGradientItem, whose endorsers stand for the
enclaves' keys. A batch of one is graded Enclave when it is committed: the attestor checks the
item's own signature. A larger batch stays Unchallenged, since each signature is one item's
and none the batch's; challenged, each of its leaves is upheld by its own signature, which the
import batch keeps.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tallystick.actions.items import claim_item
from tallystick.actions.submission.journal import SubmissionJournal
from tallystick.actions.submission.plan import Submission, SubmissionPlan
from tallystick.actions.submission.submitter import PreparedSubmission, Submitted, Submitter
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.sender import Sender
from tallystick.chain.view import read_view
from tallystick.errors import FieldError
from tallystick.opengradient.audit import Audited
from tallystick.opengradient.blob_audit import read_items
from tallystick.opengradient.errors import OpenGradientError
from tallystick.opengradient.folder import Folder
from tallystick.opengradient.import_batches import ImportBatch, ImportBatches, split
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.signatures import load_key
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enclave import Approval
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.keys import Key, key_id, rsa_key
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.opengradient_item import Item
from tallystick.storage.batch_store import BatchStore

CONTRACT = "OpenGradientItem"
TIME_TO_COMMIT = 600
"""Seconds from planning a batch to its leaves' deadline; an item's age is measured there."""


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """The network and the lane that items are brought into."""

    network_id: bytes
    model_id: bytes
    hashes_only: bool = False
    """The network lets demands ask for bytes, which are kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Brought:
    """An import batch that is a batch now."""

    batch: ImportBatch
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
        registry: the contract.
        sender: the operator.
        ledger: reads the events up to the latest block.
        now: reads the time of a block mined now, in Unix seconds.
        store: where batch data go.
        receipts: folder of receipts, journal and import batches.
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
        to: ImportTarget,
        keys: Mapping[bytes, bytes],
    ) -> None:
        self._registry, self._sender, self._now, self._to = registry, sender, now, to
        journal = SubmissionJournal.beside(receipts)
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
        self.imports = ImportBatches(receipts, registry.w3.eth.chain_id.to_bytes(32, "big") + place)

    def plan(
        self, settlements: Iterable[Sequence[SignedItem]], singly: bool = False
    ) -> tuple[list[ImportBatch], Counter[str]]:
        """Return the import batches that are new here, and how many items cannot go, by reason.

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
            [item for item in self.imports.new(items) if fits(item)] for items in settlements
        )
        return list(split(fitting, singly)), reasons

    def preview(self, batch: ImportBatch) -> tuple[PreparedSubmission, int | None]:
        """Return the batch that an import batch becomes, and the gas of its commit.

        Its files are written, nothing is sent.
        """
        self.imports.write(batch)
        prepared = self._submitter.prepare(self._order(batch))
        return prepared, self._submitter.simulate(prepared)

    def bring(self, batch: ImportBatch) -> Brought:
        """Commit a noted import batch, unless the chain has it, and write its receipts.

        Raises:
            SubmitError: the stake is too small, or the model is unknown.
            ContractError: registry or attestor refuse it.
        """
        order = self._order(batch)
        warnings: list[str] = []
        attestation = None
        if len(batch.items) == 1:
            plan = self._noted(order)
            attestation = self._attestation(batch.items[0], plan, warnings)
        done = self._submitter.submit(replace(order, attestation=attestation))
        self.imports.brought(batch)
        grade = Grade.UNCHALLENGED if attestation is None else Grade.ENCLAVE
        return Brought(batch, done, grade, tuple(warnings))

    def _order(self, batch: ImportBatch) -> Submission:
        to = self._to
        path, deadline = self.imports.lines(batch), self._deadline(self._now())
        return Submission(path, to.network_id, to.model_id, deadline, to.hashes_only, batch.name)

    def _deadline(self, now: int) -> int:
        return min(now + TIME_TO_COMMIT, self._rules.latest_deadline(now))

    def _noted(self, order: Submission) -> SubmissionPlan:
        """Return its batch, fixed: an item is claimed for one batch id, and for good."""
        prepared = self._submitter.prepare(order)
        self._submitter.note(prepared)
        return prepared.plan

    def _attestation(
        self, signed: SignedItem, plan: SubmissionPlan, warnings: list[str]
    ) -> tuple[Grade, bytes] | None:
        """Claim the item for its batch, and return the evidence for it; None: it cannot be."""
        item = Item(signed.input_hash, signed.output_hash, signed.timestamp)
        batch_id = plan.batch.id()
        claimed = claim_item(
            self._registry, self._sender, CONTRACT, self._resolver, item.hash(), batch_id
        )
        if claimed != batch_id:
            warnings.append(
                f"item {to_hex(item.hash())} is claimed for batch {to_hex(claimed)}, so its batch "
                f"{to_hex(batch_id)} stays Unchallenged"
            )
            return None
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
