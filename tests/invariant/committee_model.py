"""The committee's design as plain Python: no hashes, no keys, no gas; see model.py."""

from collections.abc import Collection
from dataclasses import dataclass

from tallystick.protocol.enums import Cause, Ruling, State
from tests.invariant.model import UNKNOWN, Batch, Model, Refused

KNOWN_BLOCKS = 256
"""Latest blocks whose hashes are known, where the chain has no history contract."""


@dataclass(frozen=True)
class Audit:
    """What members state of a batch."""

    batch: Batch
    committed_at: int
    seed_block: int | None
    """The block whose hash they drew by; None for a seed of their own."""
    verdict: bool = True


@dataclass(frozen=True)
class Signed:
    """Signatures of a statement, in the order in which they stand."""

    members: tuple[int, ...]
    bad: Collection[int] = ()
    """Members whose signature is of something else."""
    cut: bool = False
    """The last one lacks its end."""


@dataclass
class Standing:
    stake: int = 0
    exit_at: int = 0


@dataclass(frozen=True)
class Terms:
    threshold: int
    min_drawn: int
    seed_delay: int
    exit_delay: int
    min_stake: int
    arbiter: bytes


class CommitteeModel:
    def __init__(self, model: Model, terms: Terms, accounts: list[bytes]) -> None:
        self.model, self.terms, self.accounts = model, terms, accounts
        self.standings = [Standing() for _ in accounts]
        self.active: set[int] = set()
        self.burned = 0

    # Stake

    def stake(self, sender: bytes, member: int, amount: int, coins: int) -> None:
        self._need(
            NotMemberAccount=not self._is_account(sender, member),
            MemberLeaving=self._exit_at(member) > 0,
            StakeAmountMismatch=coins != amount,
        )
        standing = self.standings[member]
        standing.stake += amount
        if standing.stake >= self.terms.min_stake:
            self.active.add(member)

    def request_exit(self, sender: bytes, member: int, now: int) -> None:
        self._need(
            NotMemberAccount=not self._is_account(sender, member),
            MemberLeaving=self._exit_at(member) > 0,
        )
        self.standings[member].exit_at = now + self.terms.exit_delay
        self.active.discard(member)

    def pay_out(self, member: int, now: int) -> None:
        exit_at = self._exit_at(member)
        self._need(ExitNotDue=exit_at == 0 or now < exit_at)
        self.standings[member] = Standing()

    def sweep(self) -> None:
        self._need(NothingBurned=self.burned == 0)
        self.burned = 0

    # Evidence

    def attest(self, batch: Batch, audit: Audit, signed: Signed, block: int) -> None:
        needed = batch.block + self.terms.seed_delay
        self._need(
            StatementMismatch=audit.batch is not batch or not audit.verdict,
            CommitTimeMismatch=audit.committed_at != batch.committed_at,
            SeedUnavailable=not block - KNOWN_BLOCKS <= needed < block,
            SeedMismatch=audit.seed_block != needed,
            ArbiterMismatch=self._another_arbiter(batch),
            ExitDelayTooShort=batch.network != UNKNOWN
            and self.terms.exit_delay < self.model.life(batch.network),
            **self._counted(signed),
        )

    def rule(self, right: bool, signed: Signed) -> None:
        """`right`: the statement is of the leaf that is asked about."""
        reasons = self._counted(signed)
        reasons["SignatureInvalid"] |= not right and bool(signed.members)
        self._need(**reasons)

    # Conviction

    def convict(
        self, batch: Batch, given: bool, audit: Audit, signed: Signed, drawn: Collection[int]
    ) -> None:
        """`given`: the batch is given as it is; `drawn`: leaves that the audit's seed draws."""
        cause = batch.cause if batch.state is State.REJECTED else Cause.NONE
        drawing = cause in (Cause.RULING, Cause.DISPROOF)
        late = cause is Cause.DEADLINE and audit.committed_at != batch.committed_at
        self._need(
            **self._audited(batch, given, audit),
            BatchNotConvicted=cause in (Cause.NONE, Cause.TIMEOUT, Cause.REPEAT),
            LeafNotDrawn=drawing and batch.guilty not in drawn,
            CommitTimeMismatch=late,
            **self._made(signed),
            NoStakeToBurn=self._at_stake(signed) == 0,
        )
        self._burn(signed)

    def convict_on_evidence(
        self,
        batch: Batch,
        given: bool,
        audit: Audit,
        signed: Signed,
        place: int,
        sound: bool,
        answer: Ruling,
        drawn: Collection[int],
    ) -> None:
        """Arguments as of convict; the arbiter answers on the leaf at `place`."""
        self._need(
            **self._audited(batch, given, audit),
            ProofInvalid=not sound,
            LeafNotDrawn=place not in drawn,
            LeafNotRejected=answer is not Ruling.REJECTED,
            **self._made(signed),
            NoStakeToBurn=self._at_stake(signed) == 0,
        )
        self._burn(signed)

    # What actions share

    def _is_account(self, sender: bytes, member: int) -> bool:
        return member < len(self.accounts) and self.accounts[member] == sender

    def _exit_at(self, member: int) -> int:
        return self.standings[member].exit_at if member < len(self.standings) else 0

    def _another_arbiter(self, batch: Batch) -> bool:
        return self.model.rules_of(batch.network).arbiter != self.terms.arbiter

    def _audited(self, batch: Batch, given: bool, audit: Audit) -> dict[str, bool]:
        return {
            "StatementMismatch": not given or audit.batch is not batch or not audit.verdict,
            "NetworkNotFound": batch.network == UNKNOWN,
            "ArbiterMismatch": self._another_arbiter(batch),
        }

    def _made(self, signed: Signed) -> dict[str, bool]:
        ascending = sorted(set(signed.members))
        beyond = any(member >= len(self.accounts) for member in signed.members)
        return {
            "SignersOutOfOrder": list(signed.members) != ascending or beyond,
            "SignatureInvalid": any(member in signed.bad for member in signed.members),
            "SignaturesCutShort": signed.cut and bool(signed.members),
        }

    def _counted(self, signed: Signed) -> dict[str, bool]:
        return {
            **self._made(signed),
            "SignerNotActive": not self.active.issuperset(signed.members),
            "TooFewSigners": len(signed.members) < self.terms.threshold,
        }

    def _at_stake(self, signed: Signed) -> int:
        known = {member for member in signed.members if member < len(self.standings)}
        return sum(self.standings[member].stake for member in known)

    def _burn(self, signed: Signed) -> None:
        self.burned += self._at_stake(signed)
        for member in signed.members:
            self.standings[member].stake = 0
            self.active.discard(member)

    @staticmethod
    def _need(**reasons: bool) -> None:
        against = [reason for reason, holds in reasons.items() if holds]
        if against:
            raise Refused(*against)
