"""The pool's design as plain Python: no hashes, no keys, no gas; see model.py.

Chance is given: whoever calls says which number each place of a panel drew, and which leaves.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from tallystick.chain.pool import Standing
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Ruling, State
from tests.invariant.model import Batch, Claim, Model, Refused

EPOCH = 7 * 24 * 3600
HOLD = 3 * 24 * 3600
FINDERS = 16
LISTS = 3
"""Epochs whose lists draws may use: the one that is, and the two before."""
KNOWN_BLOCKS = 8191
MOST_SEATS = 2**24 - 1

Chance = Callable[[int, int], int]
"""The seat that a place drew, of so many seats."""


@dataclass(frozen=True)
class Terms:
    asset: bytes
    replay: bytes
    seat_stake: int
    min_seats: int
    panel: int
    min_drawn: int
    seed_delay: int
    exit_delay: int
    fee_per_leaf: int
    rule_fee: int

    @property
    def audit_places(self) -> int:
        """More than half of the panel."""
        return self.panel // 2 + 1

    @property
    def judges(self) -> int:
        return 2 * self.panel + 1

    def needed(self, ruling: Ruling) -> int:
        """Places of a case's panel: more than half uphold, three of five reject."""
        if ruling is Ruling.UPHELD:
            return self.panel + 1
        return next(places for places in range(self.judges + 1) if 5 * places >= 3 * self.judges)

    @property
    def case_fee(self) -> int:
        """Each judge's, and one for whoever sends the ruling."""
        return (self.judges + 1) * self.rule_fee


@dataclass
class Member:
    seats: int = 0
    last_epoch: int = 0
    held_until: int = 0
    standing: Standing = Standing.FREE
    earned: int = 0
    account: bytes = ZERO_ADDRESS


@dataclass
class Escrow:
    balance: int = 0
    notice_at: int = 0


@dataclass(frozen=True)
class Claimed:
    """A signature: of whom, and for which places of which entry."""

    entry: int
    places: tuple[int, ...]
    signer: bytes | None
    """Nobody: it is of something else."""


@dataclass(frozen=True)
class Signed:
    """Signatures, in the order in which they stand."""

    claims: tuple[Claimed, ...]
    cut: bool = False
    """The last one lacks its end."""


@dataclass(frozen=True)
class Record:
    batch: Batch
    seed_block: int
    keys: tuple[bytes, ...]
    drawn: frozenset[int]


CaseKey = tuple[Batch, int, tuple[Any, ...]]
"""Batch, leaf, and what is said of the challenge; nothing if there is none."""


@dataclass(frozen=True)
class Case:
    payer: bytes
    seed_block: int
    epoch: int
    challenged: bool


@dataclass
class PoolModel:
    core: Model
    address: bytes
    terms: Terms
    foreign: Collection[int] = ()
    """Networks whose model is of another spec."""
    members: dict[bytes, Member] = field(default_factory=lambda: defaultdict(Member))
    lists: dict[int, list[tuple[bytes, int]]] = field(default_factory=lambda: defaultdict(list))
    """Keys with their seats, by epoch, in the order in which they came."""
    credits: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    escrows: dict[bytes, Escrow] = field(default_factory=lambda: defaultdict(Escrow))
    records: dict[Batch, Record] = field(default_factory=dict)
    cases: dict[CaseKey, Case] = field(default_factory=dict)
    burned: int = 0

    def owed(self) -> int:
        """All that the pool must hold."""
        return (
            sum(self.credits.values())
            + sum(one.earned + one.seats * self.terms.seat_stake for one in self.members.values())
            + sum(escrow.balance for escrow in self.escrows.values())
            + len(self.cases) * self.terms.case_fee
            + self.burned
        )

    # Money

    def deposit(self, sender: bytes, to: bytes, amount: int, holds: int, coins: int) -> None:
        native = self.terms.asset == ZERO_ADDRESS
        self._need(
            AmountMismatch=coins != (amount if native else 0),
            ERC20InsufficientBalance=not native and amount > holds,
            ERC20InsufficientAllowance=not native and amount > holds,
        )
        self.credits[to] += amount - self.core.fee(self.terms.asset, amount)

    def withdraw(self, sender: bytes, amount: int) -> None:
        self._need(InsufficientCredit=self.credits[sender] < amount)
        self.credits[sender] -= amount

    def sweep(self) -> None:
        self._need(
            NothingBurned=self.burned == 0, BurnRefused=self.terms.asset in self.core.refusing
        )
        self.burned = 0

    # Seats

    def enroll(self, key: bytes, more: int, account: bytes, now: int) -> None:
        member, epoch = self.members[key], now // EPOCH + 1
        new = member.standing is Standing.FREE
        self._need(
            KeyBarred=member.standing in (Standing.CLOSED, Standing.CONVICTED),
            AlreadyEnrolled=member.last_epoch == epoch,
            NotAccount=account == ZERO_ADDRESS
            if new
            else account not in (ZERO_ADDRESS, member.account),
            NothingEnrolled=member.seats + more == 0,
            SeatsOutOfRange=member.seats + more > MOST_SEATS,
            InsufficientCredit=self.credits[key] < more * self.terms.seat_stake,
        )
        if new:
            member.account, member.standing = account, Standing.ACTIVE
        self.credits[key] -= more * self.terms.seat_stake
        member.seats += more
        member.last_epoch = epoch
        self.lists[epoch].append((key, member.seats))

    def close(self, sender: bytes, key: bytes) -> None:
        member = self.members[key]
        self._need(
            NotAccount=sender != member.account, KeyBarred=member.standing is not Standing.ACTIVE
        )
        member.standing = Standing.CLOSED

    def leave(self, sender: bytes, key: bytes, now: int) -> None:
        member = self.members[key]
        self._need(
            NotAccount=sender != member.account,
            NothingEnrolled=member.seats == 0,
            StakeHeld=now < self.leaves_at(member),
        )
        self.credits[member.account] += member.seats * self.terms.seat_stake + member.earned
        member.seats = member.earned = 0

    def leaves_at(self, member: Member) -> int:
        """When a member's stake may go."""
        end = (member.last_epoch + 1) * EPOCH
        return max(end + self.terms.exit_delay, member.held_until)

    def collect(self, key: bytes) -> None:
        member = self.members[key]
        self._need(NothingEnrolled=member.standing is Standing.FREE)
        self.credits[member.account] += member.earned
        member.earned = 0

    # Escrow

    def fund(self, operator: bytes, amount: int) -> None:
        self._need(InsufficientCredit=self.credits[operator] < amount)
        self.credits[operator] -= amount
        escrow = self.escrows[operator]
        escrow.balance, escrow.notice_at = escrow.balance + amount, 0

    def notice(self, operator: bytes, now: int) -> None:
        self.escrows[operator].notice_at = now

    def defund(self, operator: bytes, now: int) -> None:
        escrow = self.escrows[operator]
        noticed = escrow.notice_at > 0
        self._need(NoticeNotDue=not noticed or now < escrow.notice_at + EPOCH)
        self.credits[operator] += escrow.balance
        escrow.balance = escrow.notice_at = 0

    # Audits

    def fee(self, claim: Claim) -> int:
        """What a place of an audit earns."""
        return self.terms.fee_per_leaf * min(self.terms.min_drawn, claim.count)

    def audit(
        self,
        sender: bytes,
        claim: Claim,
        named: bool,
        signed: Signed,
        chance: Chance,
        drawn: frozenset[int],
        now: int,
        block: int,
    ) -> None:
        """`named`: the model is named as it is."""
        batch, seed_block = claim.batch, claim.block + self.terms.seed_delay
        places = sum(len(one.places) for one in signed.claims)
        cost = self.fee(claim) * (places + 1)
        self._need(
            AuditStoredBefore=self.record_of(claim) is not None,
            ModelMismatch=not named or batch.network in self.foreign,
            NetworkForeign=self._no_auditor(batch.network) or not self._is_judged(batch.network),
            ExitDelayTooShort=self.terms.exit_delay < self.core.life(batch.network),
            SeedUnavailable=not self.is_known(seed_block, block),
            EscrowShort=self.escrows[batch.operator].balance < cost,
            **self._list_faults(claim.committed_at // EPOCH, now),
            **self._claim_faults(
                signed,
                self.lists.get(claim.committed_at // EPOCH, []),
                self.terms.panel,
                self.terms.audit_places,
                chance,
            ),
        )
        if claim.kind is DisputeKind.NONE:
            self.core.attest(claim, Grade.AUDITED, 1, now)
        else:
            self._need(StateForbids=self.state_of(claim) is not State.DISPUTED)
        keys = self._pay(signed, claim.committed_at // EPOCH, self.fee(claim))
        self.records[batch] = Record(batch, seed_block, keys, drawn)
        self.escrows[batch.operator].balance -= cost
        self.credits[sender] += self.fee(claim)

    def record_of(self, claim: Claim) -> Record | None:
        """The record of the batch that a claim is of, if it names the batch as it is."""
        return self.records.get(claim.batch) if is_named(claim) else None

    # Cases

    def appeal(
        self,
        payer: bytes,
        claim: Claim,
        place: int,
        sound: bool,
        given: Record | None,
        now: int,
        block: int,
    ) -> None:
        batch = claim.batch
        rules = self.core.rules_of(batch.network)
        challenged, key = self._asked(claim, place)
        disputed = self.state_of(claim) is State.DISPUTED
        if challenged:
            reason = disputed and now <= claim.due
        else:
            reason = disputed or (given is not None and place in given.drawn)
        self._need(
            NetworkForeign=rules.arbiter != self.address or rules.asset != self.terms.asset,
            ProofInvalid=not sound or claim.count != batch.count or place >= claim.count,
            RecordMismatch=given != self.record_of(claim),
            StateForbids=not reason,
            CaseOpen=key in self.cases,
            InsufficientCredit=self.credits[payer] < self.terms.case_fee,
            **self._list_faults(now // EPOCH, now),
        )
        self.credits[payer] -= self.terms.case_fee
        seed_block = block + self.terms.seed_delay
        self.cases[key] = Case(payer, seed_block, now // EPOCH, challenged)
        for signer in given.keys if given else ():
            self.members[signer].held_until = now + HOLD

    def ruled(
        self,
        sender: bytes,
        claim: Claim,
        place: int,
        sound: bool,
        ruling: Ruling,
        signed: Signed,
        chance: Chance,
        given: Record | None,
        now: int,
        block: int,
    ) -> None:
        batch = claim.batch
        key, case = self.case_of(claim, place)
        self._need(
            ProofInvalid=not sound or claim.count != batch.count,
            RecordMismatch=given != self.record_of(claim),
            CaseMissing=case is None,
        )
        assert case is not None
        self._need(
            NotRuled=ruling is Ruling.UNDECIDED,
            SeedUnavailable=not self.is_known(case.seed_block, block),
            **self._list_faults(case.epoch, now),
            **self._claim_faults(
                signed,
                self.lists.get(case.epoch, []),
                self.terms.judges,
                self.terms.needed(ruling),
                chance,
                given.keys if given else (),
            ),
        )
        challenged, _ = self._asked(claim, place)
        stands = challenged and now <= claim.due
        if not (stands and self._would_resolve(claim, place, now)):
            state = self.state_of(claim)
            gone = state is State.UNKNOWN
            told = not stands and (ruling is Ruling.UPHELD or sender == case.payer)
            self._need(StateForbids=(gone and not told) or (stands and state is State.DISPUTED))
        del self.cases[key]
        self._pay(signed, case.epoch, self.terms.rule_fee)
        places = sum(len(one.places) for one in signed.claims)
        self.credits[sender] += self.terms.rule_fee
        self.credits[case.payer] += (self.terms.judges - places) * self.terms.rule_fee
        if ruling is Ruling.REJECTED and given is not None and place in given.drawn:
            self._convict(given.keys, case.payer)
        self._act(claim, place, ruling, stands, case.payer, now)

    def case_of(self, claim: Claim, place: int) -> tuple[CaseKey, Case | None]:
        """The case that a ruling is in: the challenge's own, else the leaf's."""
        _, key = self._asked(claim, place)
        if key not in self.cases:
            key = claim.batch, place, ()
        return key, self.cases.get(key) if is_named(claim) else None

    def expire(self, key: CaseKey, block: int) -> None:
        case = self.cases.get(key)
        self._need(CaseMissing=case is None)
        assert case is not None
        over = block > case.seed_block and not self.is_known(case.seed_block, block)
        self._need(CaseNotOver=not over)
        del self.cases[key]
        self.credits[case.payer] += self.terms.case_fee

    def convict(self, finder: bytes, claim: Claim, given: Record | None) -> None:
        batch = claim.batch
        cause = batch.cause if batch.state is State.REJECTED and is_named(claim) else Cause.NONE
        drawing = cause in (Cause.RULING, Cause.DISPROOF)
        drawn = given is not None and batch.guilty in given.drawn
        keys = given.keys if given else ()
        self._need(
            RecordMismatch=given is None or given != self.record_of(claim),
            LeafNotDrawn=drawing and not drawn,
            NotConvictable=cause in (Cause.NONE, Cause.TIMEOUT, Cause.REPEAT)
            or not any(self.members[key].seats for key in keys),
        )
        self._convict(keys, finder)

    # What is asked from outside

    def is_known(self, number: int, block: int) -> bool:
        """Whether a transaction of a block can have a block's hash."""
        return block - KNOWN_BLOCKS <= number < block

    def state_of(self, claim: Claim) -> State:
        """What the registry says of a claim: as its slot has it, else as it is archived."""
        batch = claim.batch
        if self.core.held(batch) and claim == batch.claim():
            return batch.state
        return batch.state if batch.archived and is_named(claim) else State.UNKNOWN

    # What actions share

    def _no_auditor(self, network: int) -> bool:
        first, *others = self.core.rules_of(network).attestors
        return first != self.address or self.address in others

    def _is_judged(self, network: int) -> bool:
        rules = self.core.rules_of(network)
        judges = {self.address, self.terms.replay} - {ZERO_ADDRESS}
        return rules.arbiter in judges and rules.asset == self.terms.asset

    def _list_faults(self, epoch: int, now: int) -> dict[str, bool]:
        kept = range(now // EPOCH - LISTS + 1, now // EPOCH + 1)
        seats = sum(seats for _, seats in self.lists.get(epoch, []))
        return {"EpochGone": epoch not in kept, "PoolTooSmall": seats < self.terms.min_seats}

    def _claim_faults(
        self,
        signed: Signed,
        entries: list[tuple[bytes, int]],
        size: int,
        needed: int,
        chance: Chance,
        barred: Collection[bytes] = (),
    ) -> dict[str, bool]:
        claims = signed.claims
        numbers = [one.entry for one in claims]
        held = [place for one in claims for place in one.places]
        inside = [one for one in claims if one.entry < len(entries)]
        keys = [entries[one.entry][0] for one in inside]
        # A seat for each place; whoever has the seat has the place.
        seats = [number for number, (_, count) in enumerate(entries) for _ in range(count)]
        return {
            "MalformedSignatures": signed.cut and bool(claims),
            "SignersOutOfOrder": numbers != sorted(set(numbers)) or len(inside) < len(claims),
            "PlaceTaken": len(set(held)) < len(held)
            or any(place >= size for place in held)
            or any(not one.places for one in claims),
            "EntrySignatureInvalid": any(
                one.signer != key for one, key in zip(inside, keys, strict=True)
            ),
            "SignerBarred": any(
                key in barred or self.members[key].standing is Standing.CONVICTED for key in keys
            ),
            "PlaceNotHeld": any(
                seats[chance(place, len(seats))] != one.entry
                for one in inside
                for place in one.places
            ),
            "TooFewPlaces": len(held) < needed,
        }

    def _pay(self, signed: Signed, epoch: int, fee: int) -> tuple[bytes, ...]:
        keys = tuple(self.lists[epoch][one.entry][0] for one in signed.claims)
        for key, one in zip(keys, signed.claims, strict=True):
            self.members[key].earned += fee * len(one.places)
        return keys

    def _asked(self, claim: Claim, place: int) -> tuple[bool, CaseKey]:
        """Whether a claim has a challenge of this leaf, and the case that is its own."""
        challenged = claim.kind is DisputeKind.CHALLENGE and claim.place == place
        said = (claim.kind, claim.with_bytes, claim.party, claim.place, claim.due, claim.leaf)
        return challenged, (claim.batch, place, said if challenged else ())

    def _would_resolve(self, claim: Claim, place: int, now: int) -> bool:
        batch = claim.batch
        right = self.core.held(batch) and claim == batch.claim()
        return right and batch.kind is DisputeKind.CHALLENGE and batch.place == place

    def _act(
        self, claim: Claim, place: int, ruling: Ruling, stands: bool, payer: bytes, now: int
    ) -> None:
        if stands and self._would_resolve(claim, place, now):
            self.core.resolve(claim, place, int(ruling), now)
            return
        if ruling is Ruling.UPHELD or self.state_of(claim) not in (State.OPEN, State.DISPUTED):
            return
        asset, core = self.terms.asset, self.core
        before = core.credits[asset, self.address]
        core.disprove(self.address, claim, place, sound=True, answer=int(Ruling.REJECTED))
        reward = core.credits[asset, self.address] - before
        core.withdraw(self.address, asset, reward)
        self.credits[payer] += reward - core.fee(asset, reward)

    def _convict(self, keys: Collection[bytes], finder: bytes) -> None:
        for key in keys:
            member = self.members[key]
            if member.seats == 0:
                continue
            stake = member.seats * self.terms.seat_stake
            member.seats, member.standing = 0, Standing.CONVICTED
            self.credits[finder] += stake // FINDERS
            self.burned += stake - stake // FINDERS

    @staticmethod
    def _need(**reasons: bool) -> None:
        against = [reason for reason, holds in reasons.items() if holds]
        if against:
            raise Refused(*against)


def is_named(claim: Claim) -> bool:
    """Return whether a claim names the batch as it is, whatever it says of stamp and dispute."""
    batch = claim.batch
    said = claim.index, claim.count, claim.commit_deadline
    return said == (batch.index, batch.count, batch.commit_deadline)
