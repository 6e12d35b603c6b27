"""The design as plain Python: no hashes, no words, no gas.

Every action names all the reasons against it (by the contract's error); without any it changes the
model. The contract must refuse with one of the reasons, or do the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Cause, DisputeKind, Grade, Outcome, State
from tallystick.protocol.inference import Inference
from tallystick.protocol.rules import Rules
from tallystick.protocol.totals import Totals

HOUR = 3600
REWARD_BONDS = 16
MAX_COUNT = 2**20
MAX_COMMITTED = 2**51 - 1
MAX_OPEN = 2**48 - 1
MAX_INDEX = 2**44 - 1
MAX_STAKE = 2**128 - 1
UNKNOWN = -1
"""The number of a network that nobody has registered."""


Asked = Callable[[], object] | None


class Refused(Exception):
    """An action that the design forbids, with every reason."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = set(reasons)


@dataclass(eq=False)
class Batch:
    network: int
    operator: bytes
    index: int
    slot: int
    leaves: list[Inference]
    """Those that anybody knows, from place zero on; further ones nobody can open."""
    count: int
    commit_deadline: int
    committed_at: int
    block: int
    closes_at: int
    state: State = State.OPEN
    grade: Grade = Grade.UNCHALLENGED
    lapsed: bool = False
    kind: DisputeKind = DisputeKind.NONE
    with_bytes: bool = False
    party: bytes = ZERO_ADDRESS
    place: int = 0
    due: int = 0
    left: int = 0
    archived: bool = False
    cause: Cause = Cause.NONE
    guilty: int = 0
    """The leaf that it was rejected for."""
    undisputed_since: int = 0
    """When its last dispute ended; zero: there was none."""

    def claim(self) -> "Claim":
        """What somebody says of the batch who says the truth."""
        disputed = self.state is State.DISPUTED
        return Claim(
            self,
            self.index,
            self.count,
            self.commit_deadline,
            self.slot,
            self.committed_at,
            self.block,
            self.closes_at,
            *(
                (self.kind, self.with_bytes, self.party, self.place, self.due, self._quoted())
                if disputed
                else NO_DISPUTE
            ),
        )

    def _quoted(self) -> int:
        return self.place if self.kind is DisputeKind.CHALLENGE else NO_LEAF


NO_LEAF = -1
NO_DISPUTE = DisputeKind.NONE, False, ZERO_ADDRESS, 0, 0, NO_LEAF


@dataclass(frozen=True)
class Claim:
    """What a caller says of a batch: its fields, its stamp, its dispute."""

    batch: Batch
    index: int
    count: int
    commit_deadline: int
    slot: int
    committed_at: int
    block: int
    closes_at: int
    kind: DisputeKind
    with_bytes: bool
    party: bytes
    place: int
    due: int
    leaf: int
    """Place of the leaf whose hash is given, or NO_LEAF for zero."""
    dirt: int = 0
    """A bit beyond the width of one of the fields is set: of which, by its number from one."""

    def undisputed(self) -> "Claim":
        """The part that actions take which need an undisputed batch."""
        kind, with_bytes, party, place, due, leaf = NO_DISPUTE
        return replace(
            self, kind=kind, with_bytes=with_bytes, party=party, place=place, due=due, leaf=leaf
        )


@dataclass
class Lane:
    stake: int = 0
    open: int = 0
    next_index: int = 0
    admitted: bool = False
    closed: bool = False
    slots: dict[int, Batch] = field(default_factory=dict)
    short: bool = False
    """Its stake was taken by nothing that the design allows: it may not cover what is open."""


class Model:
    def __init__(self, rules: list[Rules], owner: bytes) -> None:
        self.rules, self.owner = rules, owner
        self.lanes: dict[tuple[int, bytes], Lane] = defaultdict(Lane)
        self.credits: dict[tuple[bytes, bytes], int] = defaultdict(int)
        self.keys: dict[bytes, bytes] = defaultdict(lambda: ZERO_ADDRESS)
        self.totals = [Totals() for _ in rules]
        self.swept = [0 for _ in rules]
        self.put_in: dict[bytes, int] = defaultdict(int)
        self.taken_out: dict[bytes, int] = defaultdict(int)
        self.fees: dict[bytes, int] = {}
        """Of an asset that keeps a part of each transfer: one in so many."""
        self.refusing: set[bytes] = set()
        """Assets that refuse to be burned."""
        self.armed: dict[bytes, bool] = {}
        """Assets that call the registry back: whether with a call that the lock forbids."""
        self.reward_bonds = REWARD_BONDS
        self.spans = 16, 4
        """Response and ruling windows after which a batch has outlasted its life."""

    def rules_of(self, network: int) -> Rules:
        return Rules() if network == UNKNOWN else self.rules[network]

    def span(self, network: int) -> int:
        """Seconds from the commit to the last end that a dispute leaves without a lapse."""
        rules, (responses, rulings) = self.rules_of(network), self.spans
        return (
            rules.challenge_window
            + responses * rules.response_window
            + rulings * rules.ruling_window
        )

    def life(self, network: int) -> int:
        self._know(network)
        rules = self.rules[network]
        return self.span(network) + rules.response_window + rules.ruling_window

    # Money

    def deposit(self, account: bytes, asset: bytes, amount: int, holds: int, coins: int) -> None:
        """`holds`: what the account has of the asset; `coins`: what it sends along."""
        native = asset == ZERO_ADDRESS
        self._need(
            NativeAmountMismatch=coins != (amount if native else 0),
            ERC20InsufficientBalance=not native and amount > holds,
            ERC20InsufficientAllowance=not native and amount > holds,
            ReentrancyGuardReentrantCall=self.armed.get(asset, False),
        )
        received = amount - self.fee(asset, amount)
        self.credits[asset, account] += received
        self.put_in[asset] += received

    def fee(self, asset: bytes, amount: int) -> int:
        return amount // self.fees[asset] if asset in self.fees else 0

    def withdraw(self, account: bytes, asset: bytes, amount: int, refused: bool = False) -> None:
        self._need(
            InsufficientCredit=self.credits[asset, account] < amount,
            ReentrancyGuardReentrantCall=self.armed.get(asset, False),
            TransferFailed=refused,
        )
        self.credits[asset, account] -= amount
        self.taken_out[asset] += amount

    def stake(self, account: bytes, network: int, amount: int) -> None:
        self._know(network)
        asset, lane = self.rules[network].asset, self.lanes[network, account]
        self._need(
            InsufficientCredit=self.credits[asset, account] < amount,
            Panic=lane.stake + amount > MAX_STAKE,
        )
        self.credits[asset, account] -= amount
        lane.stake += amount

    def unstake(self, account: bytes, network: int, amount: int) -> None:
        self._know(network)
        rules, lane = self.rules[network], self.lanes[network, account]
        self._need(InsufficientStake=lane.stake < amount + rules.stake_per_inference * lane.open)
        lane.stake -= amount
        self.credits[rules.asset, account] += amount

    def sweep(self, network: int) -> None:
        self._know(network)
        burned, asset = self.totals[network].burned, self.rules[network].asset
        self._need(
            NothingToSweep=burned == self.swept[network],
            BurnRefused=asset in self.refusing,
            ReentrancyGuardReentrantCall=self.armed.get(asset, False),
        )
        self.taken_out[asset] += burned - self.swept[network]
        self.swept[network] = burned

    # Who may commit

    def admit(self, account: bytes, network: int, operator: bytes) -> None:
        self._know(network)
        self._need(NotNetworkOwner=account != self.owner)
        lane = self.lanes[network, operator]
        lane.admitted, lane.closed = True, False

    def close(self, account: bytes, network: int, operator: bytes) -> None:
        self._know(network)
        self._need(NotNetworkOwner=account != self.owner)
        self.lanes[network, operator].closed = True

    def set_key(self, operator: bytes, key: bytes) -> None:
        self.keys[operator] = key

    # A batch's life

    def commit_for(self, sender: bytes, operator: bytes, commits: Iterable[Any]) -> None:
        """`commits`: arguments of `commit`, all of this operator."""
        self._need(NotOperatorKey=sender not in (operator, self.keys[operator]))
        self.commit_all(commits)

    def commit_all(self, commits: Iterable[Any]) -> None:
        """Make all of the commits, or none."""
        before = self.keep()
        try:
            for arguments in commits:
                self.commit(*arguments)
        except Refused:
            self.restore(before)
            raise

    def commit(self, batch: Batch, replaced: Claim | None, known_model: bool = True) -> None:
        self._need(ModelNotFound=batch.network == UNKNOWN or not known_model)
        rules, lane = self.rules[batch.network], self.lanes[batch.network, batch.operator]
        held = lane.slots.get(batch.slot)
        freed = 0
        reasons = {
            "CountOutOfRange": not 1 <= batch.count <= MAX_COUNT,
            "LateCommit": batch.committed_at > batch.commit_deadline,
            "LaneClosed": lane.closed,
            "OperatorNotAdmitted": not (rules.permissionless or lane.admitted),
            "BatchIndexOutOfRange": batch.index > MAX_INDEX,
            "BatchIndexNotNext": batch.index != lane.next_index,
            "NetworkFull": self.totals[batch.network].committed + batch.count > MAX_COMMITTED,
        }
        if held is not None and held.state is State.DISPUTED:
            reasons["StateForbids"] = True
        elif held is not None and held.state is State.OPEN:
            reasons["PreImageMismatch"] = replaced is None or not self._stamped(replaced, held)
            reasons["SlotTaken"] = batch.committed_at < held.closes_at + HOUR
            freed = held.count
        opened = lane.open + batch.count - freed
        reasons["LaneFull"] = opened > MAX_OPEN
        reasons["InsufficientStake"] = lane.stake < rules.stake_per_inference * opened
        self._need(**reasons)
        if freed and held is not None:
            self._finish(held)
        lane.next_index += 1
        lane.open += batch.count
        lane.slots[batch.slot] = batch
        self.totals[batch.network] = self.totals[batch.network].commit(batch.count)

    def attest(
        self, claim: Claim, grade: Grade, answer: int, now: int, asked: Asked = None
    ) -> None:
        """`asked`: what the attestor does, if it may refuse with a reason of its own."""
        batch = claim.batch
        place = self.rules_of(batch.network).attestors[max(grade - 1, 0)]
        self._need(
            **self._not_open(claim, asked),
            TooLate=now >= batch.closes_at,
            GradeNotRaised=grade <= batch.grade,
            AttestorMissing=place == ZERO_ADDRESS,
            EvidenceRefused=answer == 0,
            MalformedAnswer=answer > 1,
        )
        batch.grade = grade

    def challenge(self, party: bytes, claim: Claim, place: int, sound: bool, now: int) -> None:
        batch = claim.batch
        rules = self.rules_of(batch.network)
        self._need(
            **self._not_open(claim),
            ArbiterMissing=rules.arbiter == ZERO_ADDRESS,
            ProofInvalid=not sound or claim.count != batch.count,
            LeafIndexOutOfRange=place >= claim.count,
            ProvenUnchallengeable=batch.grade is Grade.PROVEN,
            TooLate=now >= batch.closes_at,
            InsufficientCredit=self.credits[rules.asset, party] < rules.challenge_bond,
        )
        self.credits[rules.asset, party] -= rules.challenge_bond
        self._dispute(batch, DisputeKind.CHALLENGE, party, place, now, rules.ruling_window)

    def demand(self, party: bytes, claim: Claim, place: int, with_bytes: bool, now: int) -> None:
        batch = claim.batch
        rules = self.rules_of(batch.network)
        self._need(
            **self._not_open(claim),
            LeafIndexOutOfRange=place >= claim.count,
            BytesNotDemandable=with_bytes and rules.max_bytes == 0,
            TooLate=now >= batch.closes_at,
            InsufficientCredit=self.credits[rules.asset, party] < rules.demand_bond,
        )
        self.credits[rules.asset, party] -= rules.demand_bond
        self._dispute(batch, DisputeKind.DEMAND, party, place, now, rules.response_window)
        batch.with_bytes = with_bytes

    def reveal(
        self, claim: Claim, place: int, sound: bool, signed: bool, right_bytes: bool, now: int
    ) -> None:
        batch = claim.batch
        rules = self.rules_of(batch.network)
        self._need(**self._not_disputed(claim, DisputeKind.DEMAND))
        leaf = batch.leaves[place]
        named = leaf.requester != ZERO_ADDRESS
        numbered = leaf.nonce == batch.index << 20 | place
        self._need(
            TooLate=now > batch.due,
            LeafNotDisputed=place != batch.place,
            ProofInvalid=not sound,
            RequestNotSigned=named and not signed,
            UnsolicitedLeaf=not named and (rules.solicited or not numbered),
            BytesMismatch=batch.with_bytes and not right_bytes,
        )
        self.credits[rules.asset, batch.operator] += rules.demand_bond
        self._reopen(batch, now)

    def timeout(self, claim: Claim, now: int) -> None:
        self._need(**self._not_disputed(claim, DisputeKind.DEMAND))
        batch = claim.batch
        self._need(TooEarly=now <= batch.due)
        self._reject(batch, batch.party, Cause.TIMEOUT, batch.place)

    def resolve(self, claim: Claim, place: int, answer: int, now: int, asked: Asked = None) -> None:
        batch = claim.batch
        rules = self.rules_of(batch.network)
        self._need(**self._not_disputed(claim, DisputeKind.CHALLENGE))
        self._need(
            **self._refusals(asked),
            TooLate=now > batch.due,
            LeafNotDisputed=place != batch.place,
            NotRuled=answer == 0,
            MalformedAnswer=answer > 2,
        )
        if answer == 2:
            self._reject(batch, batch.party, Cause.RULING, batch.place)
        else:
            self._split(batch.network, batch.operator, rules.challenge_bond)
            self._reopen(batch, now)

    def lapse(self, claim: Claim, now: int) -> None:
        self._need(**self._not_disputed(claim, DisputeKind.CHALLENGE))
        batch = claim.batch
        self._need(TooEarly=now <= batch.due)
        self._split(batch.network, batch.party, self.rules[batch.network].challenge_bond)
        batch.lapsed = True
        self._reopen(batch, now)

    def disprove(
        self,
        prover: bytes,
        claim: Claim,
        place: int,
        sound: bool,
        answer: int,
        asked: Asked = None,
    ) -> None:
        batch = claim.batch
        self._need(
            **{**self._refusals(asked), **self._over(claim)},
            ArbiterMissing=self.rules_of(batch.network).arbiter == ZERO_ADDRESS,
            ProofInvalid=not sound,
            NotDisproved=answer < 2,
            MalformedAnswer=answer > 2,
        )
        challenged = batch.kind is DisputeKind.CHALLENGE and batch.place == place
        self._reject(batch, batch.party if challenged else prover, Cause.DISPROOF, place)

    def fault_order(self, prover: bytes, claim: Claim, place: int, other: int) -> None:
        keys = [leaf.key for leaf in claim.batch.leaves]
        self._need(
            **self._over(claim), LeavesInOrder=not (place < other and keys[place] >= keys[other])
        )
        self._reject(claim.batch, prover, Cause.ORDER, other)

    def fault_repeat(
        self, prover: bytes, claim: Claim, place: int, before: Claim, other: int
    ) -> None:
        batch, earlier = claim.batch, before.batch
        lane = batch.network, batch.operator
        mine, its = self._mismatch(claim), self._mismatch(before)
        self._need(
            **{reason: mine[reason] or its[reason] for reason in mine},
            StateForbids=batch.state in (State.FINAL, State.REJECTED)
            or earlier.state is State.REJECTED,
            RepeatNotEarlier=(earlier.network, earlier.operator) != lane
            or earlier.index >= batch.index,
            LeavesNotRepeated=batch.leaves[place].key != earlier.leaves[other].key,
        )
        self._reject(batch, prover, Cause.REPEAT, place)

    def fault_deadline(self, prover: bytes, claim: Claim, place: int, sound: bool) -> None:
        batch = claim.batch
        latest = batch.committed_at + self.rules_of(batch.network).challenge_window // 2
        deadline = batch.leaves[place].deadline
        self._need(
            **self._over(claim),
            ProofInvalid=not sound,
            DeadlineInRange=batch.committed_at <= deadline <= latest,
        )
        self._reject(batch, prover, Cause.DEADLINE, place)

    def finalize(self, claims: list[Claim], network: int, operator: bytes, now: int) -> None:
        """All of the batches, or none."""
        self._need(NothingToFinalize=not claims)
        before = self.keep()
        try:
            for claim in claims:
                batch = claim.batch
                elsewhere = (batch.network, batch.operator) != (network, operator)
                self._need(**self._not_open(claim), TooEarly=now < batch.closes_at)
                self._need(PreImageMismatch=elsewhere)
                self._finish(batch)
        except Refused:
            self.restore(before)
            raise

    def archive(self, claim: Claim) -> None:
        batch = claim.batch
        self._need(
            PreImageMismatch=not self._open_claim(claim),
            StateForbids=batch.state is not State.FINAL,
            AlreadyArchived=batch.archived,
        )
        batch.archived = True

    def each(self, actions: Iterable[Callable[[], object]]) -> list[bool]:
        """Make those actions that can be made."""
        done = []
        for action in actions:
            try:
                action()
            except Refused:
                done.append(False)
            else:
                done.append(True)
        return done

    # What is checked from outside

    def bond(self, batch: Batch) -> int:
        """What a pending dispute of the batch has put up."""
        rules = self.rules_of(batch.network)
        return {
            DisputeKind.NONE: 0,
            DisputeKind.CHALLENGE: rules.challenge_bond,
            DisputeKind.DEMAND: rules.demand_bond,
        }[batch.kind]

    def held(self, batch: Batch) -> bool:
        """Whether its slot is still its own."""
        lane = self.lanes.get((batch.network, batch.operator))
        return lane is not None and lane.slots.get(batch.slot) is batch

    # What actions share

    def _know(self, network: int) -> None:
        self._need(NetworkNotFound=network == UNKNOWN)

    def _stamped(self, claim: Claim, batch: Batch) -> bool:
        """Whether a claim is of this batch, and right but for the dispute."""
        return claim.batch is batch and claim.undisputed() == batch.claim().undisputed()

    def _open_claim(self, claim: Claim) -> bool:
        batch = claim.batch
        undisputed = batch.state is not State.DISPUTED
        return self.held(batch) and undisputed and self._stamped(claim, batch)

    def _mismatch(self, claim: Claim) -> dict[str, bool]:
        # The decoder refuses bits beyond a field's width too, without a name.
        wrong = not self.held(claim.batch) or claim != claim.batch.claim()
        return {"PreImageMismatch": wrong, "Reverted": claim.dirt > 0}

    @staticmethod
    def _refusals(asked: Asked) -> dict[str, bool]:
        """Why somebody who is asked refuses to answer."""
        try:
            if asked is not None:
                asked()
        except Refused as refused:
            return dict.fromkeys(refused.reasons, True)
        return {}

    def _not_open(self, claim: Claim, asked: Asked = None) -> dict[str, bool]:
        refusals = self._refusals(asked)
        return {
            **refusals,
            "PreImageMismatch": not self._open_claim(claim),
            "Reverted": claim.dirt > 0 or "Reverted" in refusals,
            "StateForbids": claim.batch.state in (State.FINAL, State.REJECTED),
        }

    def _over(self, claim: Claim) -> dict[str, bool]:
        over = claim.batch.state in (State.FINAL, State.REJECTED)
        return {**self._mismatch(claim), "StateForbids": over}

    def _not_disputed(self, claim: Claim, kind: DisputeKind) -> dict[str, bool]:
        return {
            **self._mismatch(claim),
            "StateForbids": claim.batch.state is not State.DISPUTED,
            "DisputeKindMismatch": claim.batch.kind is not kind,
        }

    def _dispute(
        self, batch: Batch, kind: DisputeKind, party: bytes, place: int, now: int, window: int
    ) -> None:
        batch.state, batch.kind, batch.party, batch.place = State.DISPUTED, kind, party, place
        batch.with_bytes = False
        batch.due, batch.left = now + window, batch.closes_at - now

    def _reopen(self, batch: Batch, now: int) -> None:
        window = self.rules[batch.network].response_window
        batch.state, batch.kind = State.OPEN, DisputeKind.NONE
        batch.closes_at = now + max(batch.left, window)
        batch.undisputed_since = now
        batch.lapsed |= batch.closes_at > batch.committed_at + self.span(batch.network)

    def _split(self, network: int, payee: bytes, bond: int) -> None:
        self.credits[self.rules[network].asset, payee] += bond // 2
        self.totals[network] = self.totals[network].burn(bond - bond // 2)

    def _finish(self, batch: Batch) -> None:
        batch.state = State.FINAL
        self.lanes[batch.network, batch.operator].open -= batch.count
        outcome = Outcome.of(batch.grade, batch.lapsed)
        totals = self.totals[batch.network]
        self.totals[batch.network] = totals.finalize(outcome, batch.count)

    def _reject(self, batch: Batch, payee: bytes, cause: Cause, place: int) -> None:
        rules, lane = self.rules[batch.network], self.lanes[batch.network, batch.operator]
        slash = min(rules.stake_per_inference * batch.count, lane.stake)
        reward = min(slash // 2, self.reward_bonds * rules.challenge_bond)
        if batch.kind is not DisputeKind.NONE:
            self.credits[rules.asset, batch.party] += self.bond(batch)
        self.credits[rules.asset, payee] += reward
        lane.stake -= slash
        lane.open -= batch.count
        totals = self.totals[batch.network]
        self.totals[batch.network] = totals.reject(batch.count, slash - reward)
        batch.state, batch.kind, batch.archived = State.REJECTED, DisputeKind.NONE, True
        batch.cause, batch.guilty = cause, place

    def keep(self) -> Any:
        """What an action of several parts may have to bring back."""
        lanes = {key: replace(lane, slots=dict(lane.slots)) for key, lane in self.lanes.items()}
        batches = {
            batch: dict(vars(batch))
            for lane in self.lanes.values()
            for batch in lane.slots.values()
        }
        return lanes, batches, list(self.totals)

    def restore(self, kept: Any) -> None:
        """Bring back what `keep` gave; of commits and finality only, which move no credit."""
        lanes, batches, self.totals = kept
        self.lanes.clear()
        self.lanes.update(lanes)
        for batch, before in batches.items():
            vars(batch).update(before)

    @staticmethod
    def _need(**reasons: bool) -> None:
        against = [reason for reason, holds in reasons.items() if holds]
        if against:
            raise Refused(*against)
