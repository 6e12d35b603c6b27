"""The newest snapshot of a data folder, made anew in the background when the folder changes."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from tallystick.chain.rpc.errors import RpcError
from tallystick.dashboard.periods import LENGTHS
from tallystick.dashboard.snapshot import MEMORY, Snapshot, version
from tallystick.errors import TallystickError

EVERY = 1.0
"""Seconds between two looks at the folder."""
SHARE = 0.5
"""Most of the time that goes into making snapshots."""


class Live:
    """A data folder that may grow while it is read.

    Args:
        folder: the data folder.
        probes: a probe log.
        memory: most that DuckDB takes; where a new snapshot cannot share what the last one has in
            memory, there are two for a moment.
        bring: called before each look; may extract.

    Raises:
        CoverageError: nothing was extracted, or a run was interrupted before its end.
    """

    def __init__(
        self,
        folder: Path,
        probes: Path | None = None,
        memory: str = MEMORY,
        bring: Callable[[], None] | None = None,
    ) -> None:
        self._folder, self._probes, self._memory, self._bring = folder, probes, memory, bring
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._logged = ""
        self.trouble = ""
        """The reason why the folder's newest state is not shown; empty when it is."""
        self.snapshot = self._make(None)

    def start(self, every: float = EVERY) -> None:
        """Look at the folder now and then, in a thread that ends with the process."""
        self._thread = threading.Thread(target=self._run, args=(every,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def ended(self) -> bool:
        """True once the looking is over."""
        return self._stop.is_set()

    def look(self) -> bool:
        """Make a new snapshot if the folder changed; return whether there is one."""
        try:
            if self._bring is not None:
                self._bring()
            if version(self._folder, self._probes) == self.snapshot.version:
                self.trouble = ""
                return False
            made = self._make(self.snapshot)
        except (TallystickError, OSError, duckdb.Error) as error:
            # In the middle of an extraction, for instance; what was shown stays.
            self._note(error)
            return False
        self.snapshot, self.trouble = made, ""
        return True

    def _note(self, error: Exception) -> None:
        said = str(error).splitlines()[0]
        if not self.trouble or said != self._logged:
            logging.getLogger(__name__).warning("newer blocks are not shown: %s", said)
        # What a node says may hold its URL, with a key in it: everybody reads the page.
        self.trouble = "no node gives them" if isinstance(error, RpcError) else said
        self._logged = said

    def _make(self, before: Snapshot | None) -> Snapshot:
        """Return the folder's newest state, with what the first screen asks for worked out."""
        made = Snapshot(self._folder, self._probes, self._memory, before)
        for period in LENGTHS:
            made.summary(period)
        return made

    def _run(self, every: float) -> None:
        pause = every
        while not self._stop.wait(pause):
            begun = time.monotonic()
            self.look()
            pause = max(every, (time.monotonic() - begun) * (1 - SHARE) / SHARE)
