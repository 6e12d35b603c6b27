"""What must hold after each step, whatever the actions were."""

from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from tallystick.chain.logs import decode_log
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.totals import Totals
from tests.invariant import model as plain
from tests.support import layout

if TYPE_CHECKING:
    from tests.invariant.machine import Machine

COUNTERS = [field.name for field in fields(Totals)]


class Mismatch(AssertionError):
    """Contract and model disagree."""


def lane_word(lane: plain.Lane) -> int:
    """What a lane's word must be."""
    return layout.lane_word(lane.stake, lane.open, lane.next_index, lane.admitted, lane.closed)


class Comparison:
    """Compares a machine's contracts with its models."""

    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self._over: set[plain.Batch] = set()
        self._before: dict[int, Any] = {}
        self._words: dict[plain.Batch, tuple[Any, int]] = {}

    def words(self) -> None:
        """Look at every word that the contracts may have written, at balances and invariants."""
        model, held, read = self.machine.model, Counter(self.machine.extra), self._reader()
        for (asset, account), credit in model.credits.items():
            self._same("credit", read(layout.credit_slot(asset, account)), credit)
            held[asset] += credit
        for operator, key in model.keys.items():
            self._same("key", read(layout.key_slot(operator)), int.from_bytes(key, "big"))
        opened = [0] * len(self.machine.rules)
        for (network, operator), lane in model.lanes.items():
            slot, rules = (
                layout.lane_slot(self.machine.networks[network], operator),
                self.machine.rules[network],
            )
            word = read(slot)
            self._same("lane", word, lane_word(lane))
            held[rules.asset] += lane.stake
            opened[network] += lane.open
            locked = rules.stake_per_inference * (word >> layout.STAKE_BITS & plain.MAX_OPEN)
            if word & plain.MAX_STAKE < locked and not lane.short:
                raise Mismatch(f"stake {word & plain.MAX_STAKE} of a lane that locks {locked}")
            for place, batch in lane.slots.items():
                self._same("word", read(slot + 1 + place), self._word(batch))
                self._compare_archive(batch)
                self._compare_over(batch)
                if batch.kind is not DisputeKind.NONE:
                    held[rules.asset] += model.bond(batch)
        for network, totals in enumerate(model.totals):
            found = self._compare_totals(network, totals)
            self._same("open inferences", opened[network], found.open)
            swept = read(layout.swept_slot(self.machine.networks[network]))
            self._same("swept", swept, model.swept[network])
            held[self.machine.rules[network].asset] += found.burned - swept
        for asset in self.machine.assets.all():
            self._same("balance", self.balance(asset), held[asset])
            flow = model.put_in[asset] - model.taken_out[asset] + self.machine.extra[asset]
            self._same("conservation", flow - self.machine.stolen[asset], held[asset])
        self._compare_committee()

    def views(self) -> None:
        """Ask all views, of everything there is."""
        for network, totals in enumerate(self.machine.model.totals):
            self._same(
                "totals",
                tuple(self.machine.read("totals", self.machine.networks[network])),
                astuple(totals),
            )
            life = self.machine.read("lifeOf", self.machine.networks[network])
            self._same("life", life, self.machine.model.life(network))
        for (asset, account), credit in self.machine.model.credits.items():
            self._same("credit", self.machine.read("creditOf", asset, account), credit)
        for (network, operator), lane in self.machine.model.lanes.items():
            found = tuple(self.machine.read("laneOf", self.machine.networks[network], operator))
            expected = lane.stake, lane.open, lane.next_index, lane.admitted, lane.closed
            self._same("lane", found, expected)
            for slot, batch in lane.slots.items():
                word = self.machine.read("wordOf", self.machine.networks[network], operator, slot)
                self._same("word", int.from_bytes(word, "big"), self._word(batch))
        for operator, key in self.machine.model.keys.items():
            self._same("key", self.machine.read("keyOf", operator), checksummed(key).lower())
        for batch in self.machine.batches:
            self._compare_archive(batch)
            self._compare_status(batch)

    def events(self) -> None:
        """Fold the events: they say what contract and model say."""
        if not self.machine.foldable:
            return
        ledger = Ledger.of(map(decode_log, self.machine.raw))
        for network, totals in enumerate(self.machine.model.totals):
            before = self.machine.ballast.get(network, Totals())
            since = Totals(
                *(now - then for now, then in zip(astuple(totals), astuple(before), strict=True))
            )
            self._same("totals of events", ledger.totals[self.machine.networks[network]], since)
        for key, credit in self.machine.model.credits.items():
            self._same("credit of events", ledger.credits[key], credit)
        for (network, operator), lane in self.machine.model.lanes.items():
            folded = ledger.lanes[self.machine.networks[network], operator]
            stake = lane.stake + self.machine.vanished[network, operator]
            self._same("stake of events", folded.stake, stake)
            for slot, batch in lane.slots.items():
                record = ledger.batches[folded.slots[slot]]
                self._same("word of events", int.from_bytes(record.word, "big"), self._word(batch))
                self._same(
                    "cause of events",
                    (record.cause, record.leaf_index),
                    (batch.cause, batch.guilty),
                )

    def balance(self, asset: bytes) -> int:
        """What the registry has of an asset."""
        if asset == ZERO_ADDRESS:
            return self.machine.world.balance(self.machine.registry)
        return self.machine.world.word(asset, layout.balance_slot(self.machine.registry))

    def _compare_committee(self) -> None:
        committee_model, word, at = (
            self.machine.committee_model,
            self.machine.world.word,
            self.machine.committee.address,
        )
        active = sum(1 << member for member in committee_model.active)
        self._same("active members", word(at, layout.MEMBERS_ACTIVE), active)
        self._same(
            "burned of the committee", word(at, layout.MEMBERS_BURNED), committee_model.burned
        )
        for member, standing in enumerate(committee_model.standings):
            expected = standing.stake | standing.exit_at << layout.STAKE_BITS
            self._same("standing", word(at, layout.standing_slot(member)), expected)
            if (
                member in committee_model.active
                and standing.stake < committee_model.terms.min_stake
            ):
                raise Mismatch("a member counts without stake")
        stakes = sum(standing.stake for standing in committee_model.standings)
        self._same(
            "coins of the committee",
            self.machine.world.balance(at),
            stakes + committee_model.burned,
        )

    def _compare_totals(self, network: int, totals: Totals) -> Totals:
        """The network's counters as the contract has them; they have not fallen."""
        slot, read = layout.counts_slot(self.machine.networks[network]), self._reader()
        words = read(slot), read(slot + 1)
        before_words, before = self._before.get(network, (None, None))
        if words == before_words and before == totals:
            return before
        self._same("counts", hex(words[0]), hex(layout.counts_word(totals)))
        self._same("losses", hex(words[1]), hex(layout.losses_word(totals)))
        found = layout.totals_of(*words)
        if before is not None:
            for name, then, now in zip(COUNTERS, astuple(before), astuple(found), strict=True):
                if now < then:
                    raise Mismatch(f"{name} fell from {then} to {now}")
        self._before[network] = words, found
        return found

    def _reader(self) -> Callable[[int], int]:
        """Reads a word of the registry's."""
        storage, registry = self.machine.world.evm.storage, checksummed(self.machine.registry)
        return lambda slot: storage(registry, slot)

    def _compare_archive(self, batch: plain.Batch) -> None:
        word = self.machine.world.word(
            self.machine.registry, layout.archive_slot(self.machine.id(batch))
        )
        expected = 0
        if batch.archived:
            rejected = batch.state is State.REJECTED
            expected = layout.archive_word(
                batch.state,
                0 if rejected or batch.lapsed else batch.grade,
                batch.lapsed and not rejected,
                batch.cause,
                batch.guilty,
                batch.count,
                batch.committed_at,
            )
        self._same("archive", hex(word), hex(expected))

    def _compare_status(self, batch: plain.Batch) -> None:
        """What everybody is told of a batch that has its slot no more is Unknown, or archived."""
        claim = batch.claim()
        found = self.machine.read(
            "status", self.machine.networks[batch.network], batch.operator, self.machine.ref(claim)
        )
        state = batch.state if batch.archived or self.machine.model.held(batch) else State.UNKNOWN
        told = State.UNKNOWN if state is State.DISPUTED else state
        self._same("status", State(found[0]), told)
        found = self.machine.read("stateOf", self.machine.pre_image(claim).abi())
        self._same("state", State(found), state)

    def _compare_over(self, batch: plain.Batch) -> None:
        over = batch.state in (State.FINAL, State.REJECTED)
        if batch in self._over and not over:
            raise Mismatch("a batch that was over is not")
        if over and batch not in self._over:
            self._over.add(batch)
            quiet = self.machine.now - (batch.undisputed_since or batch.committed_at)
            window = self.machine.rules[batch.network].response_window
            if batch.state is State.FINAL and quiet < window:
                raise Mismatch(f"a batch is final after {quiet} s without dispute of {window}")

    def _word(self, batch: plain.Batch) -> int:
        """What the batch's slot must hold."""
        key = (
            batch.state,
            batch.grade,
            batch.lapsed,
            batch.closes_at,
            batch.kind,
            batch.with_bytes,
            batch.party,
            batch.place,
            batch.due,
        )
        known = self._words.get(batch)
        if known is None or known[0] != key:
            pre_image = self.machine.pre_image(batch.claim())
            rejected = batch.state is State.REJECTED
            says = () if rejected else (batch.grade, batch.lapsed)
            known = key, int.from_bytes(pre_image.word(batch.state, *says), "big")
            self._words[batch] = known
        return known[1]

    @staticmethod
    def _same(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise Mismatch(f"{what}: contract has {found}, model {expected}")
