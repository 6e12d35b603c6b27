"""A pool of auditors: seats, escrow, audits, cases and convictions."""

from tallystick.actions.batch_data import BatchData, opening_of
from tallystick.actions.chain_view import ActionError
from tallystick.actions.pool import audits, cases, money, seats
from tallystick.actions.pool.panels import audit_panel, case_panel, need_place
from tallystick.actions.pool.view import Move, PoolView
from tallystick.api.batch import BatchHandle
from tallystick.api.context import Context, to_bytes
from tallystick.api.recomputed import Run, recomputed
from tallystick.chain.pool import Pool, PoolEscrow, PoolHeader, PoolMember, PoolTerms
from tallystick.chain.pool_events import find_record, unswept
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import Opening
from tallystick.protocol.panel import Panel
from tallystick.protocol.panel_statement import PanelStatement
from tallystick.protocol.pool import PanelAudit, PanelVerdict, Record
from tallystick.protocol.receipt import Receipt


class PoolHandle:
    """A deployed pool; made by `RegistryHandle.pool` and its kin.

    Amounts are in units of the pool's asset. Each action raises, if it cannot be: ReadOnlyError
    where nobody is named who could send; ActionError where the pool would refuse it, or PoolError
    where the chain does not know a seed, nothing was sent; ContractError where the pool refuses it.
    """

    def __init__(self, context: Context, address: bytes) -> None:
        self._context = context
        self._pool = Pool(context.registry.w3, address)
        self.address = address
        """20 bytes."""

    def __repr__(self) -> str:
        return f"<pool {checksummed(self.address)}>"

    @property
    def terms(self) -> PoolTerms:
        """Its terms, fixed for good."""
        return self._pool.terms()

    @property
    def epoch(self) -> int:
        """The epoch that it is now."""
        return self._seen().epoch

    def size(self, ahead: bool = False) -> PoolHeader:
        """Return how many seats and keys are in this epoch's list, or ahead in the next one's."""
        return self._pool.header(self.epoch + ahead)

    def members(self, ahead: bool = False) -> list[PoolMember]:
        """Return the keys of this epoch's list, or ahead of the next one's, as they stand now."""
        entries = self._pool.entries(self.epoch + ahead)
        return self._pool.members([one.key for one in entries])

    def member(self, key: bytes | str | None = None) -> PoolMember:
        """Return a key's seats and standing; all zero for one that never enrolled.

        Args:
            key: 20 bytes, or hex text; None: this account.
        """
        return self._pool.member(self._whose(key, "key"))

    def credit(self, account: bytes | str | None = None) -> int:
        """Return an account's credit in the pool; None: this account's."""
        return self._pool.credit(self._whose(account, "account"))

    def escrow(self, operator: bytes | str | None = None) -> PoolEscrow:
        """Return an operator's escrow; None: this account's."""
        return self._pool.escrow(self._whose(operator, "operator"))

    def deposit(self, amount: int, to: bytes | str | None = None) -> None:
        """Add to a credit, from which seats, an escrow or a case are paid.

        Args:
            amount: of the asset; a token is approved first where needed.
            to: whose credit, 20 bytes or hex text; None: this account's.
        """
        view = self._acting()
        for move in money.deposit(view, amount, self._whose(to, "to")):
            self._do(move)

    def withdraw(self, amount: int) -> None:
        """Pay a part of this account's credit out to it."""
        self._do(money.withdraw(self._acting(), amount))

    def enroll(self, more: int = 0, to: bytes | str | None = None) -> None:
        """Put all seats of this account, as a key, into the next epoch's list; once an epoch.

        Args:
            more: seats to buy now, from its credit.
            to: where stake and fees go, 20 bytes or hex text, fixed the first time; None: this
                account, or as it was fixed.
        """
        account = None if to is None else to_bytes(to, 20, "to")
        self._do(seats.enroll(self._acting(), more, account))

    def close(self, key: bytes | str | None = None) -> None:
        """Bar a key of this account's, itself where none is named, from enrolling again."""
        self._do(seats.close(self._acting(), self._whose(key, "key")))

    def leave(self, key: bytes | str | None = None) -> None:
        """Move stake and fees of a key of this account's to its credit, once nothing holds them."""
        self._do(seats.leave(self._acting(), self._whose(key, "key")))

    def collect(self, key: bytes | str | None = None) -> None:
        """Move a key's fees to its account's credit."""
        self._do(seats.collect(self._acting(), self._whose(key, "key")))

    def fund(self, amount: int) -> None:
        """Move this account's credit into its escrow, which pays who audits its batches."""
        self._do(money.fund(self._acting(), amount))

    def notice(self) -> None:
        """Give notice of this account's escrow: it can leave an epoch later."""
        self._do(money.notice(self._acting()))

    def defund(self) -> None:
        """Move this account's whole escrow back to its credit, an epoch after notice."""
        self._do(money.defund(self._acting()))

    def panel(self, batch: BatchHandle, leaf: int | None = None) -> Panel:
        """Return the panel of a batch's audit, or of the open case on one of its leaves.

        Args:
            batch: of a network that the pool audits, or judges.
            leaf: the case's; None: the audit's panel.
        """
        return self._panel(self._seen(), batch.status(), leaf)

    def audit(self, batch: BatchHandle, run: Run) -> PanelStatement:
        """Re-execute the leaves that an audit of a batch draws, and sign if all of it is good.

        Args:
            batch: whose data are in the store, and on whose panel this account, as a key, sits.
            run: the model.

        Returns:
            The audit with this key's signature, for `send`.

        Raises:
            ActionError: a rule is broken, an answer is wrong, the key has no place, or the store
                has hashes only; nothing was signed.
            PoolError: it is too early for the draw, or too late.
            StoreError: the data cannot be read.
        """
        view, chain = self._acting(), self._context.view(batch.id)
        data = BatchData.load(self._context.store, chain.batch(batch.id))
        audits.need_audited(view, chain, data.record)
        need_place(view, self._panel(view, data.record, None))
        outputs = recomputed(data, audits.draw_of(view, data.record).indices, run)
        said = audits.statement(view, chain, self._context.registry, data, outputs)
        return self._signed(batch.id, said)

    def rule(self, batch: BatchHandle, leaf: int, run: Run) -> PanelStatement:
        """Re-execute the leaf of an open case, and sign the ruling.

        Args:
            batch: whose data are in the store.
            leaf: the case's.
            run: the model.

        Returns:
            The ruling with this key's signature, for `send`.

        Raises:
            ActionError: no case is open on the leaf, the key has no say in it, or the store has
                the leaf's hashes only.
            PoolError: it is too early for the panel, or too late.
            StoreError: the data cannot be read.
        """
        view, chain = self._acting(), self._context.view(batch.id)
        data = BatchData.load(self._context.store, chain.batch(batch.id))
        need_place(view, self._panel(view, data.record, leaf), self._record(data.record).keys)
        said, _ = cases.verdict(view, data, leaf, recomputed(data, [leaf], run))
        return self._signed(batch.id, said, leaf)

    def send(self, *statements: PanelStatement) -> None:
        """Send what enough places have signed: an audit is stored, or a case is closed.

        Args:
            statements: of one audit, or of one ruling; all that there are, for whoever is left
                out goes unpaid.

        Raises:
            StatementError: they say different things.
        """
        joined = PanelStatement.joined(statements)
        if joined.domain != self._pool.domain:
            raise ActionError("the statement is of another pool, or of another chain")
        view, chain, registry = (
            self._acting(),
            self._context.view(joined.batch_id),
            self._context.registry,
        )
        said, signatures = joined.says, joined.signatures
        if isinstance(said, PanelAudit):
            self._do(audits.audit(view, chain, registry, said, signatures))
            return
        record = chain.batch(joined.batch_id)
        assert joined.leaf_index is not None
        opening = self._opening(record, joined.leaf_index)
        by = self._record(record)
        self._do(cases.ruled(view, chain, registry, record.id, opening, said, signatures, by))

    def appeal(self, batch: BatchHandle, leaf: int | Receipt) -> None:
        """Open a case on a leaf; this account's credit in the pool pays its panel.

        Args:
            batch: committed.
            leaf: its index, opened by the batch's data, or its receipt; challenged, or drawn by
                the audit on record, or of a batch that another dispute keeps from being challenged.
        """
        view, chain, registry = self._acting(), self._context.view(batch.id), self._context.registry
        record = chain.batch(batch.id)
        opening, by = self._opening(record, leaf), self._record(record)
        self._do(cases.appeal(view, chain, registry, batch.id, opening, by))

    def convict(self, batch: BatchHandle) -> None:
        """Burn the stake of who signed the audit of a batch that was rejected for what they saw."""
        view, chain, registry = self._acting(), self._context.view(batch.id), self._context.registry
        by = self._record(chain.batch(batch.id))
        self._do(cases.convict(view, chain, registry, batch.id, by))

    def expire(self, case_id: bytes | str) -> None:
        """End a case on which nobody can rule any more; its payer gets the fee back.

        Args:
            case_id: 32 bytes, or hex text.
        """
        self._do(cases.expire(self._acting(), to_bytes(case_id, 32, "case id")))

    def sweep(self) -> None:
        """Send burned stake to 0x...dEaD."""
        burned = unswept(self._pool, self._context.first_block)
        self._do(money.sweep(self._acting(), burned))

    def _seen(self) -> PoolView:
        actor = self._context.actor
        address = ZERO_ADDRESS if actor is None else actor.address
        return PoolView(self._pool, self._context.now, address)

    def _acting(self) -> PoolView:
        return PoolView(self._pool, self._context.now, self._context.sender.address)

    def _whose(self, address: bytes | str | None, field: str) -> bytes:
        return self._context.sender.address if address is None else to_bytes(address, 20, field)

    def _do(self, move: Move) -> None:
        self._context.send(move.call)

    def _panel(self, view: PoolView, record: BatchState, leaf: int | None) -> Panel:
        if leaf is None:
            return audit_panel(view, record)
        return case_panel(view, cases.open_case(view, record, leaf))

    def _record(self, record: BatchState) -> Record:
        return find_record(self._pool, record.id, record.committed.block_number)

    def _opening(self, record: BatchState, leaf: int | Receipt) -> Opening:
        if isinstance(leaf, Receipt):
            return opening_of(leaf, record)
        return BatchData.load(self._context.store, record).opening(leaf)

    def _signed(
        self, batch_id: bytes, said: PanelAudit | PanelVerdict, leaf: int | None = None
    ) -> PanelStatement:
        sender, domain = self._context.sender, self._pool.domain
        signature = sender.sign(domain, said.struct_hash())
        return PanelStatement(domain, batch_id, said, leaf).signed(sender.address, signature)
