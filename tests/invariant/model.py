"""The design as plain Python: no hashes, no words, no gas.

Every move names all the reasons against it (by the contract's error); without any it changes the
model. The contract must refuse with one of the reasons, or do the same.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from tallystick.enums import DisputeKind, Grade, Outcome, State
from tallystick.inference import Inference
from tallystick.network import Rules
from tallystick.totals import Totals
from tallystick.words import ZERO_ADDRESS

HOUR = 3600
REWARD_BONDS = 16


class Refused(Exception):
    """A move that the design forbids, with every reason."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = set(reasons)


@dataclass(eq=False)
class Batch:
    network: int
    operator: bytes
    index: int
    slot: int
    leaves: list[Inference]
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

    @property
    def count(self) -> int:
        return len(self.leaves)


@dataclass
class Lane:
    stake: int = 0
    open: int = 0
    next_index: int = 0
    admitted: bool = False
    closed: bool = False
    slots: dict[int, Batch] = field(default_factory=dict)


class Model:
    def __init__(self, rules: list[Rules], owner: bytes) -> None:
        self.rules, self.owner = rules, owner
        self.lanes: dict[tuple[int, bytes], Lane] = defaultdict(Lane)
        self.credits: dict[tuple[bytes, bytes], int] = defaultdict(int)
        self.totals = [Totals() for _ in rules]
        self.swept = [0 for _ in rules]
        self.put_in: dict[bytes, int] = defaultdict(int)
        self.taken_out: dict[bytes, int] = defaultdict(int)
        self.reward_bonds = REWARD_BONDS

    # Money

    def deposit(self, account: bytes, asset: bytes, amount: int) -> None:
        self.credits[asset, account] += amount
        self.put_in[asset] += amount

    def withdraw(self, account: bytes, asset: bytes, amount: int) -> None:
        self._need(InsufficientCredit=self.credits[asset, account] < amount)
        self.credits[asset, account] -= amount
        self.taken_out[asset] += amount

    def stake(self, account: bytes, network: int, amount: int) -> None:
        asset = self.rules[network].asset
        self._need(InsufficientCredit=self.credits[asset, account] < amount)
        self.credits[asset, account] -= amount
        self.lanes[network, account].stake += amount

    def unstake(self, account: bytes, network: int, amount: int) -> None:
        rules, lane = self.rules[network], self.lanes[network, account]
        self._need(InsufficientStake=lane.stake < amount + rules.stake_per_inference * lane.open)
        lane.stake -= amount
        self.credits[rules.asset, account] += amount

    def sweep(self, network: int) -> None:
        burned = self.totals[network].burned
        self._need(NothingToSweep=burned == self.swept[network])
        self.taken_out[self.rules[network].asset] += burned - self.swept[network]
        self.swept[network] = burned

    def admit(self, account: bytes, network: int, operator: bytes) -> None:
        self._need(NotNetworkOwner=account != self.owner)
        lane = self.lanes[network, operator]
        lane.admitted, lane.closed = True, False

    def close(self, account: bytes, network: int, operator: bytes) -> None:
        self._need(NotNetworkOwner=account != self.owner)
        self.lanes[network, operator].closed = True

    # A batch's life

    def commit(self, batch: Batch, index: int, replaced: Batch | None) -> None:
        rules, lane = self.rules[batch.network], self.lanes[batch.network, batch.operator]
        held = lane.slots.get(batch.slot)
        freed = 0
        reasons = {
            "LateCommit": batch.committed_at > batch.commit_deadline,
            "LaneClosed": lane.closed,
            "OperatorNotAdmitted": not (rules.permissionless or lane.admitted),
            "BatchIndexNotNext": index != lane.next_index,
        }
        if held is not None and held.state is State.DISPUTED:
            reasons["StateForbids"] = True
        elif held is not None and held.state is State.OPEN:
            reasons["PreImageMismatch"] = replaced is not held
            reasons["SlotTaken"] = batch.committed_at < held.closes_at + HOUR
            freed = held.count
        locked = rules.stake_per_inference * (lane.open + batch.count - freed)
        reasons["InsufficientStake"] = lane.stake < locked
        self._need(**reasons)
        if freed and held is not None:
            self._finish(held)
        lane.next_index += 1
        lane.open += batch.count
        lane.slots[batch.slot] = batch
        self.totals[batch.network] = self.totals[batch.network].commit(batch.count)

    def attest(self, batch: Batch, grade: Grade, answer: int, now: int) -> None:
        place = self.rules[batch.network].attestors[max(grade - 1, 0)]
        self._need(
            **self._not_open(batch),
            TooLate=now >= batch.closes_at,
            GradeNotRaised=grade <= batch.grade,
            AttestorMissing=place == ZERO_ADDRESS,
            EvidenceRefused=answer == 0,
            MalformedAnswer=answer > 1,
        )
        batch.grade = grade

    def challenge(self, party: bytes, batch: Batch, place: int, now: int) -> None:
        rules = self.rules[batch.network]
        self._need(
            **self._not_open(batch),
            ArbiterMissing=rules.arbiter == ZERO_ADDRESS,
            ProvenUnchallengeable=batch.grade is Grade.PROVEN,
            TooLate=now >= batch.closes_at,
            InsufficientCredit=self.credits[rules.asset, party] < rules.challenge_bond,
        )
        self.credits[rules.asset, party] -= rules.challenge_bond
        self._dispute(batch, DisputeKind.CHALLENGE, party, place, now, rules.ruling_window)

    def demand(self, party: bytes, batch: Batch, place: int, with_bytes: bool, now: int) -> None:
        rules = self.rules[batch.network]
        self._need(
            **self._not_open(batch),
            LeafIndexOutOfRange=place >= batch.count,
            BytesNotDemandable=with_bytes and rules.max_bytes == 0,
            TooLate=now >= batch.closes_at,
            InsufficientCredit=self.credits[rules.asset, party] < rules.demand_bond,
        )
        self.credits[rules.asset, party] -= rules.demand_bond
        self._dispute(batch, DisputeKind.DEMAND, party, place, now, rules.response_window)
        batch.with_bytes = with_bytes

    def reveal(self, batch: Batch, place: int, signed: bool, right_bytes: bool, now: int) -> None:
        rules = self.rules[batch.network]
        self._need(**self._not_disputed(batch, DisputeKind.DEMAND))
        leaf = batch.leaves[place]
        named = leaf.requester != ZERO_ADDRESS
        numbered = leaf.nonce == batch.index << 20 | place
        self._need(
            TooLate=now > batch.due,
            LeafNotDisputed=place != batch.place,
            RequestNotSigned=named and not signed,
            UnsolicitedLeaf=not named and (rules.solicited or not numbered),
            BytesMismatch=batch.with_bytes and not right_bytes,
        )
        self.credits[rules.asset, batch.operator] += rules.demand_bond
        self._reopen(batch, now)

    def timeout(self, batch: Batch, now: int) -> None:
        self._need(**self._not_disputed(batch, DisputeKind.DEMAND))
        self._need(TooEarly=now <= batch.due)
        self._reject(batch, batch.party)

    def resolve(self, batch: Batch, place: int, answer: int, now: int) -> None:
        rules = self.rules[batch.network]
        self._need(**self._not_disputed(batch, DisputeKind.CHALLENGE))
        self._need(
            TooLate=now > batch.due,
            LeafNotDisputed=place != batch.place,
            NotRuled=answer == 0,
            MalformedAnswer=answer > 2,
        )
        if answer == 2:
            self._reject(batch, batch.party)
        else:
            self._split(batch.network, batch.operator, rules.challenge_bond)
            self._reopen(batch, now)

    def lapse(self, batch: Batch, now: int) -> None:
        self._need(**self._not_disputed(batch, DisputeKind.CHALLENGE))
        self._need(TooEarly=now <= batch.due)
        self._split(batch.network, batch.party, self.rules[batch.network].challenge_bond)
        batch.lapsed = True
        self._reopen(batch, now)

    def disprove(self, prover: bytes, batch: Batch, answer: int) -> None:
        self._need(
            **self._over(batch),
            ArbiterMissing=self.rules[batch.network].arbiter == ZERO_ADDRESS,
            NotDisproved=answer < 2,
            MalformedAnswer=answer > 2,
        )
        self._reject(batch, prover)

    def fault_order(self, prover: bytes, batch: Batch, place: int, other: int) -> None:
        keys = [leaf.key for leaf in batch.leaves]
        self._need(
            **self._over(batch), LeavesInOrder=not (place < other and keys[place] >= keys[other])
        )
        self._reject(batch, prover)

    def fault_repeat(
        self, prover: bytes, batch: Batch, place: int, earlier: Batch, other: int
    ) -> None:
        lane = batch.network, batch.operator
        self._need(
            StateForbids=batch.state in (State.FINAL, State.REJECTED)
            or earlier.state is State.REJECTED,
            PreImageMismatch=not self._held(batch) or not self._held(earlier),
            RepeatNotEarlier=(earlier.network, earlier.operator) != lane
            or earlier.index >= batch.index,
            LeavesNotRepeated=batch.leaves[place].key != earlier.leaves[other].key,
        )
        self._reject(batch, prover)

    def fault_deadline(self, prover: bytes, batch: Batch, place: int) -> None:
        latest = batch.committed_at + self.rules[batch.network].challenge_window // 2
        deadline = batch.leaves[place].deadline
        self._need(**self._over(batch), DeadlineInRange=batch.committed_at <= deadline <= latest)
        self._reject(batch, prover)

    def finalize(self, batch: Batch, now: int) -> None:
        self._need(**self._not_open(batch), TooEarly=now < batch.closes_at)
        self._finish(batch)

    def archive(self, batch: Batch) -> None:
        self._need(
            PreImageMismatch=not self._held(batch) or batch.state is State.DISPUTED,
            StateForbids=batch.state is not State.FINAL,
            AlreadyArchived=batch.archived,
        )
        batch.archived = True

    # What moves share

    def _held(self, batch: Batch) -> bool:
        return self.lanes[batch.network, batch.operator].slots.get(batch.slot) is batch

    def _not_open(self, batch: Batch) -> dict[str, bool]:
        return {
            "PreImageMismatch": not self._held(batch) or batch.state is State.DISPUTED,
            "StateForbids": batch.state in (State.FINAL, State.REJECTED),
        }

    def _over(self, batch: Batch) -> dict[str, bool]:
        return {
            "PreImageMismatch": not self._held(batch),
            "StateForbids": batch.state in (State.FINAL, State.REJECTED),
        }

    def _not_disputed(self, batch: Batch, kind: DisputeKind) -> dict[str, bool]:
        return {
            "PreImageMismatch": not self._held(batch),
            "StateForbids": batch.state is not State.DISPUTED,
            "DisputeKindMismatch": batch.kind is not kind,
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

    def _split(self, network: int, payee: bytes, bond: int) -> None:
        self.credits[self.rules[network].asset, payee] += bond // 2
        self.totals[network] = self.totals[network].burn(bond - bond // 2)

    def _finish(self, batch: Batch) -> None:
        batch.state = State.FINAL
        self.lanes[batch.network, batch.operator].open -= batch.count
        outcome = Outcome.of(batch.grade, batch.lapsed)
        totals = self.totals[batch.network]
        self.totals[batch.network] = totals.finalize(outcome, batch.count)

    def _reject(self, batch: Batch, payee: bytes) -> None:
        rules, lane = self.rules[batch.network], self.lanes[batch.network, batch.operator]
        slash = rules.stake_per_inference * batch.count
        reward = min(slash // 2, self.reward_bonds * rules.challenge_bond)
        bonds = {
            DisputeKind.NONE: 0,
            DisputeKind.CHALLENGE: rules.challenge_bond,
            DisputeKind.DEMAND: rules.demand_bond,
        }
        self.credits[rules.asset, batch.party] += bonds[batch.kind]
        self.credits[rules.asset, payee] += reward
        lane.stake -= slash
        lane.open -= batch.count
        totals = self.totals[batch.network]
        self.totals[batch.network] = totals.reject(batch.count, slash - reward)
        batch.state, batch.kind, batch.archived = State.REJECTED, DisputeKind.NONE, True

    @staticmethod
    def _need(**reasons: bool) -> None:
        against = [reason for reason, holds in reasons.items() if holds]
        if against:
            raise Refused(*against)
