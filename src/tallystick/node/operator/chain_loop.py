"""The operator's chain work, round after round; what fails is logged and comes again."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from web3.exceptions import Web3Exception

from tallystick.actions.chain_view import ActionError
from tallystick.actions.commit import need_key
from tallystick.node.errors import SettingsError
from tallystick.node.operator.committer import Committer
from tallystick.node.operator.demand_responder import DemandResponder
from tallystick.node.operator.escrow import EscrowFunding
from tallystick.node.operator.game_responder import GameResponder
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.lane_terms import LaneTerms
from tallystick.node.operator.models import load_models
from tallystick.node.operator.pipeline import Pipeline
from tallystick.node.operator.pruner import Pruner
from tallystick.node.operator.request_handler import RequestHandler
from tallystick.node.operator.reveal_capacity import RevealCapacity, block_seconds, reveal_capacity
from tallystick.protocol.enums import State
from tallystick.storage.file_lock import try_lock

if TYPE_CHECKING:
    from tallystick.node.operator.zk.batches import ProvenBatches

_MEASURE_EVERY = 600.0
"""Seconds between two looks at how fast blocks come."""


class ChainLoop:
    """Follows the chain for the handler; one process of a lane commits, answers
    demands, plays replay games and prunes too.

    Args:
        lane: the lane.
        pipeline: sends what answers demands, and the moves of games.
        handler: told what the chain says.
        every: seconds between two rounds.
        folder: of the lock that makes one process the one that sends.
        proven: batches of zk models, whose models are loaded here; None: there are none.
    """

    def __init__(
        self,
        lane: OperatorLane,
        pipeline: Pipeline,
        handler: RequestHandler,
        every: float,
        folder: Path,
        proven: "ProvenBatches | None" = None,
    ) -> None:
        self._lane, self._handler, self._every = lane, handler, every
        self._committer = Committer(lane, proven=proven)
        self._responder, self._proven = DemandResponder(lane, pipeline), proven
        self._games = GameResponder(lane, pipeline, handler.models)
        self._pipeline = pipeline
        self._pruner = Pruner(lane)
        escrow = lane.settings.escrow
        self._escrow = EscrowFunding(lane, escrow) if escrow else None
        self._path = folder / "leader.lock"
        self._lock: IO[str] | None = None
        self._stop = threading.Event()
        self._measured_at = float("-inf")

    @property
    def capacity(self) -> RevealCapacity | None:
        """Number of batches that may be open; None until the chain was seen."""
        return self._committer.capacity

    def stop(self) -> None:
        """End after the round that is running."""
        self._stop.set()
        self._handler.full.set()

    def start(self) -> None:
        """Look at the chain, load the models, and let the handler answer; waits until that is done.

        Raises:
            SettingsError: the network or a model is not registered, or its file is another; or the
                account is neither the operator's nor its key.
            RunnerError: a runner cannot be loaded.
        """
        while not self._stop.is_set() and not self._do("follow", self._follow):
            self._stop.wait(self._every)
        if self._stop.is_set():
            return
        settings, ledger = self._lane.settings, self._lane.ledger
        if settings.network_id not in ledger.networks:
            raise SettingsError(f"no network 0x{settings.network_id.hex()} is registered")
        try:
            lane = self._lane
            need_key(lane.sender.address, lane.operator, ledger.key_of(lane.operator))
        except ActionError as error:
            raise SettingsError(f"operator.operator: {error}") from error
        self._handler.models.update(load_models(settings, ledger))
        self._load_proven()
        while not self._stop.is_set() and not self._do("measure", self._measure):
            self._stop.wait(self._every)
        self._tell()

    def run(self) -> None:
        """Go round until stopped."""
        while not self._stop.is_set():
            self.round()
            self._handler.full.wait(self._every)
            self._handler.full.clear()
            # What waits is counted anew each round, so that a batch that cannot be sent (the chain
            # is away) does not make rounds follow each other without a pause.
            self._stop.wait(min(0.05, self._every))

    def round(self) -> None:
        """Look at the chain and do what is to be done."""
        if not self._do("follow", self._follow):
            return
        self._do("measure", self._measure)
        if self._leads():
            steps: list[tuple[str, Callable[[], None]]] = []
            if self._lane.settings.play_games:
                # A silent operator loses its stake, and a round may be long.
                steps.append(("game", self._games.play))
            steps.append(("reconcile", self._committer.reconcile))
            if self._lane.settings.answer_demands:
                steps.append(("demand", self._responder.answer_demands))
            steps.append(("commit", self._unless_stuck(self._committer.commit)))
            if self._proven is not None:
                self._proven.begin()
                steps.append(("attest", self._unless_stuck(self._proven.attest)))
            if self._lane.settings.finalize:
                steps.append(("finalize", self._unless_stuck(self._responder.finalize)))
            if self._escrow is not None:
                steps.append(("escrow", self._unless_stuck(self._escrow.look)))
            steps.append(("prune", self._pruner.prune))
            for name, step in steps:
                self._do(name, step)
        self._tell()

    def _load_proven(self) -> None:
        """Load the zk models, for which the chain is asked: until it answers, or the node ends."""
        while self._proven is not None and not self._stop.is_set():
            try:
                self._proven.load()
                return
            except (Web3Exception, OSError) as error:
                self._lane.metrics.failures.labels("proofs").inc()
                reason = " ".join(str(error).split())
                self._lane.log.error("step failed, comes again", step="proofs", reason=reason)
                self._stop.wait(self._every)

    def _follow(self) -> None:
        lane, behind = self._lane, self._lane.follower.behind
        lane.follower.advance()
        lane.metrics.lag.set(lane.head.latest - lane.head.number)
        lane.metrics.behind.set(lane.follower.behind)
        if lane.follower.behind and not behind:
            lane.log.warning("node is behind", blocks=lane.follower.behind, block=lane.head.number)

    def _unless_stuck(self, step: Callable[[], None]) -> Callable[[], None]:
        """Return a step that is left out while no block takes the answers to demands: what it
        sends would only wait behind them, and they would wait for it meanwhile."""

        def careful() -> None:
            if not self._pipeline.is_stuck:
                step()

        return careful

    def _measure(self) -> None:
        """Reckon how many batches may be open, from the latest blocks; once in a while."""
        if time.monotonic() < self._measured_at + _MEASURE_EVERY:
            return
        lane = self._lane
        w3, rules = lane.registry.w3, lane.ledger.networks[lane.settings.network_id].rules
        gas = int(w3.eth.get_block("latest")["gasLimit"])
        self._committer.capacity = reveal_capacity(rules, block_seconds(w3), gas)
        self._measured_at = time.monotonic()

    def _tell(self) -> None:
        lane = self._lane
        settings = lane.settings
        self._handler.terms = LaneTerms.of(
            lane.ledger, lane.head, settings.network_id, lane.operator, lane.sender.address
        )
        if self.capacity is not None:
            self._handler.batches_left = self.capacity.batches - lane.open_batches()
        if self._handler.quotas.count_open:
            self._handler.quotas.note_open(lane.journal.open_by_requester(self._open()))
        waiting = sum(one.count for one in lane.journal.waiting())
        self._handler.note_waiting(waiting + lane.journal.unsettled())
        rules = lane.ledger.networks[settings.network_id].rules
        lane.metrics.stake_locked.set(rules.stake_per_inference * lane.standing.open_inferences)

    def _open(self) -> list[bytes]:
        """Return the ids of the lane's batches that are not over."""
        held = self._lane.held_batches()
        return [one.id for one in held if one.state in (State.OPEN, State.DISPUTED)]

    def _do(self, name: str, step: Callable[[], None]) -> bool:
        """Return whether a step did what it should; a failure never ends the process."""
        started = time.monotonic()
        try:
            step()
        except Exception as error:
            self._lane.metrics.failures.labels(name).inc()
            reason = " ".join(str(error).split())
            self._lane.log.error(
                "step failed, comes again", step=name, kind=type(error).__name__, reason=reason
            )
            return False
        self._lane.log.debug("step", step=name, seconds=round(time.monotonic() - started, 4))
        return True

    def _leads(self) -> bool:
        """Return whether this process is the one that sends; it stays so as long as it lives."""
        if self._lock is not None:
            return True
        self._lock = try_lock(self._path)
        if self._lock is None:
            return False
        self._lane.log.info("this process commits for the lane")
        return True
