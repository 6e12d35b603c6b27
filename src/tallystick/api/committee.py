"""A committee: a member's stake, audits and rulings."""

from tallystick.actions.audit import audit, draw_of, verdict
from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError
from tallystick.actions.funding import approval
from tallystick.api.batch import BatchHandle
from tallystick.api.context import Context
from tallystick.api.recomputed import Run, recomputed
from tallystick.chain.committee import Committee, CommitteeMember, CommitteeTerms
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.statement import Statement


class CommitteeHandle:
    """A deployed committee; made by `RegistryHandle.committee` and its kin."""

    def __init__(self, context: Context, address: bytes) -> None:
        self._context = context
        self._committee = Committee(context.registry.w3, address)
        self.address = address
        """20 bytes."""

    def __repr__(self) -> str:
        return f"<committee {checksummed(self.address)}>"

    @property
    def terms(self) -> CommitteeTerms:
        """Its terms, fixed for good."""
        return self._committee.terms()

    def members(self) -> list[CommitteeMember]:
        """Return its members, by place."""
        return self._committee.members()

    def stake(self, amount: int) -> None:
        """Add to the stake of this account's place.

        Args:
            amount: in units of the committee's asset; a token is approved first where needed.
        """
        asset, sender = self.terms.asset, self._context.sender.address
        place = self._committee.place_of(sender)
        approve = approval(self._context.registry.w3, asset, sender, self.address, amount)
        if approve is not None:
            self._context.send(approve)
        value = amount if asset == ZERO_ADDRESS else 0
        self._context.send(self._committee.call("stake", place, amount, value=value))

    def audit(self, batch: BatchHandle, run: Run) -> Statement:
        """Re-execute the leaves that an audit of a batch draws, and sign if all of it is good.

        Args:
            batch: whose data are in the store.
            run: the model.

        Returns:
            The audit with this member's signature: `merged` with other members' it is, by
            `evidence`, what `BatchHandle.attest` takes.

        Raises:
            ActionError: it is too early for the draw, a rule is broken, an answer is wrong, or the
                store has hashes only; nothing was signed.
            CommitteeError: this account is no member.
            StoreError: the data cannot be read.
        """
        view, registry = self._context.view(batch.id), self._context.registry
        data = BatchData.load(self._context.store, view.batch(batch.id))
        found = draw_of(self._committee, self.terms, data)
        outputs = recomputed(data, found.indices, run)
        return self._signed(audit(view, registry, self.terms, data, found, outputs))

    def rule(self, batch: BatchHandle, run: Run) -> Statement:
        """Re-execute the challenged leaf of a batch, and sign the ruling.

        Args:
            batch: that is challenged, and whose data are in the store.
            run: the model.

        Returns:
            The ruling with this member's signature, for `BatchHandle.resolve`.

        Raises:
            ActionError: no challenge is pending, or the store has the leaf's hashes only.
            CommitteeError: this account is no member.
            StoreError: the data cannot be read.
        """
        view = self._context.view(batch.id)
        record = view.batch(batch.id)
        if record.dispute is None:
            raise ActionError("the batch has no challenge that is pending")
        data = BatchData.load(self._context.store, record)
        outputs = recomputed(data, [record.dispute.leaf_index], run)
        return self._signed(verdict(view, data, outputs))

    def _signed(self, said: Audit | Verdict) -> Statement:
        sender, domain = self._context.sender, self._committee.domain
        place = self._committee.place_of(sender.address)
        return Statement(domain, said).signed(place, sender.sign(domain, said.struct_hash()))
