"""A network: its models, its counters, an operator's lane in it, and what is submitted."""

import warnings
from pathlib import Path

from tallystick.actions.funding import deposit
from tallystick.actions.preflight import RulesWarning
from tallystick.actions.submission.plan import Submission
from tallystick.actions.submission.submitter import PreparedSubmission
from tallystick.api.batch import BatchHandle
from tallystick.api.context import Context, to_bytes
from tallystick.api.model_hashes import examined
from tallystick.chain.fold import knows
from tallystick.errors import ActionError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.ledger import Ledger, Model
from tallystick.protocol.rules import Rules, model_id
from tallystick.protocol.scope import Scope
from tallystick.protocol.status import LaneStatus
from tallystick.protocol.totals import Totals
from tallystick.storage.record_files import Records, collect_records


class NetworkHandle:
    """A network of a registry; made by `RegistryHandle.network` and its kin."""

    def __init__(self, context: Context, network_id: bytes) -> None:
        self._context, self.id = context, network_id

    def __repr__(self) -> str:
        return f"<network {to_hex(self.id)}>"

    def exists(self) -> bool:
        """Return whether the registry knows it."""
        registry = self._context.registry
        return knows(registry, self.id, registry.w3.eth.block_number)

    @property
    def owner(self) -> bytes:
        """The account that registered it, 20 bytes."""
        return from_hex(self._context.registry.read("ownerOf", self.id))

    @property
    def name(self) -> str:
        """The name by the event that registered it."""
        return self._directory().networks[self.id].name

    @property
    def rules(self) -> Rules:
        """Its terms, fixed for good."""
        return self._context.registry.rules(self.id)

    def totals(self, block: int | None = None) -> Totals:
        """Return its counters, from the contract.

        Args:
            block: number; None: the latest.
        """
        return self._context.registry.totals(self.id, "latest" if block is None else block)

    def models(self) -> list[Model]:
        """Return its models, in the order of their registration."""
        return list(self._directory().models.values())

    def model(self, model_id: bytes | str) -> Model:
        """Return a model; ActionError if the network has none of this id.

        Args:
            model_id: 32 bytes, or hex text.
        """
        key = to_bytes(model_id, 32, "model id")
        found = self._directory().models.get(key)
        if found is None:
            raise ActionError(f"the network has no model {to_hex(key)}")
        return found

    def register_model(
        self,
        name: str,
        file: str | Path,
        *,
        spec: str | Path | bytes | None = None,
        samples: str | Path | None = None,
        comparison_elsewhere: bool = False,
        uri: str = "",
        parent: Model | bytes | str | None = None,
    ) -> Model:
        """Register a model by its content, unless this account has done so already.

        Args:
            name: what people call it; event data only.
            file: its content; hashed, not sent.
            spec: says how its bytes are canonical and how outputs are compared: a file's path, or
                the text as bytes; hashed, not sent. A .qi8 file has its own; an integer .onnx
                file needs none.
            samples: real inputs (.npy, .npz) that an .onnx file is run on once; None: zeros.
            comparison_elsewhere: an .onnx file's spec is in words of its own, and each verifier is
                set a comparison, or a runner (module:function).
            uri: where it can be had; event data only.
            parent: the version before.

        Raises:
            ActionError: the spec is missing or would convict honest operators, or a model is too
                large for the arbiter, or for what the network lets be demanded.
            ModelRefusedError, RunnerError, SpecError: an .onnx model can't be served or judged.
            ContractError: the network is not open, and this account is not its owner.
            OSError: a file cannot be read.
        """
        registry, sender = self._context.registry, self._context.sender
        text = spec if isinstance(spec, bytes) or spec is None else Path(spec)
        real = None if samples is None else Path(samples)
        found = examined(registry, self.id, Path(file), text, real, comparison_elsewhere)
        hashes = found.hashes
        if "caution" in found.told:
            warnings.warn(found.told["caution"], RulesWarning, stacklevel=2)
        if isinstance(parent, Model):
            parent = parent.id
        before = ZERO32 if parent is None else to_bytes(parent, 32, "parent")
        key = model_id(self.id, sender.address, *hashes, before)
        known = self._directory().models.get(key)
        if known is not None:
            return known
        call = registry.call("registerModel", self.id, *hashes, before, name, uri)
        self._context.send(call)
        return Model(key, self.id, sender.address, *hashes, before, name, uri)

    def lane(self, operator: bytes | str | None = None) -> LaneStatus:
        """Return an operator's standing: stake, open inferences, whether it may commit.

        Args:
            operator: 20 bytes, or hex text; None: who acts.
        """
        sender = self._context.sender.address if operator is None else operator
        return self._context.registry.lane(self.id, to_bytes(sender, 20, "operator"))

    def stake(self, amount: int) -> None:
        """Stake in this account's lane, from its credit; what that lacks is deposited first.

        Args:
            amount: in units of the network's asset.

        Raises:
            ContractError: the account has not so much, or may not be an operator here.
        """
        registry, sender = self._context.registry, self._context.sender
        asset = self.rules.asset
        missing = amount - registry.credit(asset, sender.address)
        if missing > 0:
            for call in deposit(registry, sender.address, asset, missing):
                self._context.send(call)
        self._context.send(registry.call("stake", self.id, amount))

    def unstake(self, amount: int) -> None:
        """Take stake that is not locked out of this account's lane, into its credit.

        Args:
            amount: in units of the network's asset.
        """
        self._context.send(self._context.registry.call("unstake", self.id, amount))

    def deposit(self, amount: int) -> None:
        """Add to this account's credit in the network's asset, from which bonds are paid.

        Args:
            amount: in units of the asset.
        """
        registry, sender = self._context.registry, self._context.sender
        for call in deposit(registry, sender.address, self.rules.asset, amount):
            self._context.send(call)

    def admit(self, operator: bytes | str) -> None:
        """Admit an operator, 20 bytes or hex text, or open its closed lane; for the owner."""
        who = to_bytes(operator, 20, "operator")
        self._context.send(self._context.registry.call("admit", self.id, who))

    def close(self, operator: bytes | str) -> None:
        """Close an operator's lane, 20 bytes or hex text, to new commits; for the owner."""
        who = to_bytes(operator, 20, "operator")
        self._context.send(self._context.registry.call("close", self.id, who))

    def prepare(
        self,
        model: Model | bytes | str,
        records: Records,
        *,
        deadline: int | None = None,
        hashes_only: bool = False,
        label: str = "",
        operator: bytes | str | None = None,
    ) -> PreparedSubmission:
        """Return the batch that `submit` would commit, and what it needs; sends nothing.

        Args:
            model, records, deadline, hashes_only, label, operator: see submit.

        Raises:
            RecordError: records that cannot be committed, each by its number.
            ActionError: network or model are unknown, or somebody else's lane is meant.
        """
        order = self._order(model, records, deadline, hashes_only, label)
        return self._context.submitter(self.id, _operator(operator)).prepare(order)

    def submit(
        self,
        model: Model | bytes | str,
        records: Records,
        *,
        deadline: int | None = None,
        hashes_only: bool = False,
        label: str = "",
        operator: bytes | str | None = None,
    ) -> BatchHandle:
        """Commit inferences as one batch, write their receipts, and return the batch.

        After a crash at any point the same call goes on: equal records for one model are one batch,
        sent once, as long as the folder of receipts and the store are there.

        Args:
            model: whose inferences they are.
            records: InferenceRecord or mappings one by one, an Arrow table, or the path of a file;
                see tallystick.storage.record_files for the fields.
            deadline: Unix seconds, for unsolicited records that name none; None: the latest one.
            hashes_only: the bytes are kept elsewhere, from where a demand can be answered.
            label: tells apart batches of equal records that are all to be committed.
            operator: whose lane it is, 20 bytes or hex text, where this account is the operator's
                key; None: this account's.

        Raises:
            RecordError: records that cannot be committed, each by its number; nothing was sent.
            SubmitError: the lane's stake is too small, network or model are unknown.
            ContractError: the registry refuses the batch.
            StoreError: the data cannot be kept; nothing was sent.
        """
        order = self._order(model, records, deadline, hashes_only, label)
        done = self._context.submitter(self.id, _operator(operator)).submit(order)
        return BatchHandle(self._context, done.plan.batch, done.issued, done.receipts)

    def batches(self, operator: bytes | str | None = None) -> list[BatchHandle]:
        """Return its batches, in the order of their commits.

        Args:
            operator: whose, 20 bytes or hex text; None: everybody's.
        """
        who = _operator(operator)
        scope = Scope.network(self.id) if who is None else Scope.lane(self.id, who)
        found = self._context.ledger(scope).batches.values()
        return [BatchHandle(self._context, one.batch) for one in found]

    def _directory(self) -> Ledger:
        """Return the network and its models, without its lanes."""
        return self._context.ledger(Scope.directory(self.id))

    def _order(
        self,
        model: Model | bytes | str,
        records: Records,
        deadline: int | None,
        hashes_only: bool,
        label: str,
    ) -> Submission:
        key = model.id if isinstance(model, Model) else to_bytes(model, 32, "model id")
        # A file is only read where its digest is not in the journal.
        found = Path(records) if isinstance(records, str | Path) else collect_records(records)
        return Submission(found, self.id, key, deadline, hashes_only, label)


def _operator(given: bytes | str | None) -> bytes | None:
    return None if given is None else to_bytes(given, 20, "operator")
