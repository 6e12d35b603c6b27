"""The operator's chain work, round after round; what fails is logged and comes again."""

import fcntl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tallystick.moves.board import MoveError
from tallystick.moves.commit import need_key
from tallystick.node.errors import SettingsError
from tallystick.node.operator.committer import Committer
from tallystick.node.operator.desk import Desk
from tallystick.node.operator.keeper import Keeper
from tallystick.node.operator.lane import Lane
from tallystick.node.operator.models import load_models
from tallystick.node.operator.pruner import Pruner
from tallystick.node.operator.standing import Standing


class Rounds:
    """Follows the chain for the desk; one process of a lane commits, answers
    demands and prunes too.

    Args:
        lane: the lane.
        desk: told what the chain says.
        every: seconds between two rounds.
        folder: of the lock that makes one process the one that sends.
    """

    def __init__(self, lane: Lane, desk: Desk, every: float, folder: Path) -> None:
        self._lane, self._desk, self._every = lane, desk, every
        self._committer, self._keeper = Committer(lane), Keeper(lane)
        self._pruner = Pruner(lane)
        self._path = folder / "leader.lock"
        self._lock: IO[str] | None = None
        self._stop = threading.Event()

    def stop(self) -> None:
        """End after the round that is running."""
        self._stop.set()
        self._desk.full.set()

    def start(self) -> None:
        """Look at the chain, load the models, and let the desk answer; waits until that is done.

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
        except MoveError as error:
            raise SettingsError(f"operator.operator: {error}") from error
        self._desk.models = load_models(settings, ledger)
        self._tell()

    def run(self) -> None:
        """Go round until stopped."""
        while not self._stop.is_set():
            self.round()
            self._desk.full.wait(self._every)
            self._desk.full.clear()
            # What waits is counted anew each round, so that a batch that cannot be sent (the chain
            # is away) does not make rounds follow each other without a pause.
            self._stop.wait(min(0.05, self._every))

    def round(self) -> None:
        """Look at the chain and do what is to be done."""
        if not self._do("follow", self._follow):
            return
        if self._leads():
            steps: list[tuple[str, Callable[[], None]]] = [("reconcile", self._committer.reconcile)]
            if self._lane.settings.answer_demands:
                steps.append(("demand", self._keeper.answer_demands))
            steps.append(("commit", self._committer.commit))
            if self._lane.settings.finalize:
                steps.append(("finalize", self._keeper.finalize))
            steps.append(("prune", self._pruner.prune))
            for name, step in steps:
                self._do(name, step)
        self._tell()

    def _follow(self) -> None:
        self._lane.follower.advance()
        head = self._lane.head
        self._lane.metrics.lag.set(head.latest - head.number)

    def _tell(self) -> None:
        lane = self._lane
        settings = lane.settings
        self._desk.standing = Standing.of(
            lane.ledger, lane.head, settings.network_id, lane.operator, lane.sender.address
        )
        waiting = sum(one.count for one in lane.journal.waiting())
        self._desk.note_waiting(waiting + lane.journal.unsettled())
        rules = lane.ledger.networks[settings.network_id].rules
        lane.metrics.stake_locked.set(rules.stake_per_inference * lane.standing.open_inferences)

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
        file = self._path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        self._lane.log.info("this process commits for the lane")
        return True
