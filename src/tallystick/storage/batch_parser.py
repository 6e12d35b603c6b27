"""Batch files of strangers, read in processes of their own: none takes this one down.

A process is kept warm for the next file. What it hands back is written by this package, so that
parsing that here is no risk.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Protocol

from tallystick.child_environment import only
from tallystick.errors import BatchCorruptError, StoreUnreachableError
from tallystick.protocol.record import InferenceRecord
from tallystick.storage.batch_cleaner import READY, Reply
from tallystick.storage.batch_store import MAX_SIZE, BatchStore

TIMEOUT = 120
"""Seconds for one file."""
_START = 120.0
"""Seconds until a process is ready, on the busiest machine."""
LEAST_MEMORY = 512 << 20
"""Bytes that a process may take for a small file."""
_COPIES = 3
"""Of a file's largest size: packed, unpacked, and written anew."""
_IDLE = 2
"""Processes kept for the next files."""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
"""Variables that the process has."""


class ParserBrokenError(BatchCorruptError):
    """A file on which the process that read it broke, or that broke one before."""


class FilePutOffError(StoreUnreachableError):
    """A file that is read later, for a reason that may be this machine's: nothing is known yet."""


class Attempts(Protocol):
    """A memory of files that were tried, which outlives the process."""

    def begin(self, digest: bytes) -> None:
        """Note that a file is about to be tried.

        Args:
            digest: SHA-256 of the file, 32 bytes.

        Raises:
            ParserBrokenError: it broke what read it before.
            FilePutOffError: this process ended while it was read before.
        """
        ...

    def end(self, digest: bytes, broken: str) -> None:
        """Note how it went; empty: the file broke nothing."""
        ...


class Limits(NamedTuple):
    """Limits of a process."""

    memory: int
    """Bytes that it may take beyond what it begins with."""
    cpu: int
    """Seconds of processor time for a file."""
    max_size: int
    """Bytes of what it unpacks."""


_lock = threading.Lock()
_idle: "defaultdict[Limits, list[_Cleaner]]" = defaultdict(list)
"""Processes that wait for files, whoever began them."""


class BatchParser:
    """Processes that read files; threads may share one, and all of one program share processes.

    Args:
        max_size: bytes of a file, packed or unpacked.
        memory: bytes that a process may take beyond what it begins with; None: by max_size, at most
            half of the machine's.
        timeout: seconds for one file.
        attempts: what was tried before; None: nothing is remembered.
    """

    def __init__(
        self,
        max_size: int = MAX_SIZE,
        memory: int | None = None,
        timeout: float = TIMEOUT,
        attempts: Attempts | None = None,
    ) -> None:
        self.max_size, self._timeout, self._attempts = max_size, timeout, attempts
        self._limits = Limits(
            memory or max(LEAST_MEMORY, min(_COPIES * max_size, _machine() // 2)),
            int(timeout) + 1,
            max_size,
        )

    def clean(self, packed: bytes) -> bytes:
        """Return a plain file of what a file holds.

        Raises:
            ValueError: it is no Parquet file.
            ParserBrokenError: it breaks what reads it, or takes too much time or memory.
            FilePutOffError: no process can be begun, or this one ended on the file before.
        """
        with self._cleaner() as cleaner:
            cleaner.wait()
            with self._noted(packed):
                return cleaner.clean(packed, self._timeout)

    def warm(self) -> None:
        """Begin a process for the first file, unless one waits; returns at once."""
        with _lock:
            if not _idle[self._limits]:
                _idle[self._limits].append(_Cleaner(self._limits))

    def waiting(self) -> list[int]:
        """Return the ids of the processes that wait for files."""
        with _lock:
            return [cleaner.pid for cleaner in _idle[self._limits]]

    def close(self) -> None:
        """End the processes that wait."""
        with _lock:
            idle = _idle.pop(self._limits, [])
        for cleaner in idle:
            cleaner.end()

    @contextmanager
    def _noted(self, packed: bytes) -> Iterator[None]:
        if self._attempts is None:
            yield
            return
        digest = sha256(packed).digest()
        self._attempts.begin(digest)
        broken = ""
        try:
            yield
        except ParserBrokenError as error:
            broken = str(error)
            raise
        finally:
            self._attempts.end(digest, broken)

    @contextmanager
    def _cleaner(self) -> Iterator["_Cleaner"]:
        with _lock:
            idle = _idle[self._limits]
            cleaner = idle.pop() if idle else _Cleaner(self._limits)
        try:
            yield cleaner
        finally:
            with _lock:
                idle = _idle[self._limits]
                is_kept = cleaner.is_alive and len(idle) < _IDLE
                if is_kept:
                    idle.append(cleaner)
            if not is_kept:
                cleaner.end()


class GuardedStore(BatchStore):
    """A store of strangers' batches, whose files are read in other processes.

    Args:
        url: as of BatchStore.
        max_size: as of BatchStore.
        parser: reads the files; None: one of the store's own.
        options: as of BatchStore.
    """

    def __init__(
        self,
        url: str,
        max_size: int = MAX_SIZE,
        parser: BatchParser | None = None,
        **options: Any,
    ) -> None:
        super().__init__(url, max_size, **options)
        self._parser = parser or BatchParser(max_size)

    def _unpack(self, packed: bytes) -> tuple[dict[str, str], list[InferenceRecord]]:
        return super()._unpack(self._parser.clean(packed))


class _Cleaner:
    """One process."""

    def __init__(self, limits: Limits) -> None:
        near, far = socket.socketpair()
        numbers = (far.fileno(), *limits)
        environment = only(*_KEPT) | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            # What it cannot give is an error then, in place of an end.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            "MALLOC_ARENA_MAX": "1",
        }
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tallystick.storage.batch_cleaner", *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(far.fileno(),),
                env=environment,
                cwd="/",
                # A terminal's signals are this process's: killed by one, a good file would seem to
                # have broken it.
                start_new_session=True,
            )
        self._connection = Connection(near.detach())
        self._most = 2 * limits.max_size + (64 << 20)
        self._is_ready, self.is_alive = False, True

    @property
    def pid(self) -> int:
        return self._process.pid

    def clean(self, packed: bytes, timeout: float) -> bytes:
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            self._process.kill()

        watchdog = threading.Timer(timeout, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            self._connection.send_bytes(packed)
            reply = Reply(self._connection.recv_bytes(1)[0])
            answer = self._connection.recv_bytes(self._most)
        except (EOFError, OSError) as error:
            self.end()
            if timed_out.is_set():
                raise ParserBrokenError(f"it took longer than {timeout:g} s to read") from error
            raise ParserBrokenError(self._epitaph()) from error
        finally:
            watchdog.cancel()
        self.is_alive = reply in (Reply.CLEAN, Reply.REFUSED)
        if reply is Reply.NO_MEMORY:
            raise ParserBrokenError("it takes more memory to read than is allowed")
        if reply is Reply.REFUSED:
            raise ValueError(answer.decode())
        return answer

    def end(self) -> None:
        self.is_alive = False
        self._connection.close()
        try:
            # It ends by itself when nobody is on the other side.
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self) -> None:
        """Wait until the process has begun: that is not the file's time."""
        if self._is_ready:
            return
        with suppress(EOFError, OSError):
            self._is_ready = (
                self._connection.poll(_START) and self._connection.recv_bytes(64) == READY
            )
        if not self._is_ready:
            self.end()
            raise FilePutOffError("the process that reads batch files does not start")

    def _epitaph(self) -> str:
        code = self._process.returncode
        if code >= 0:
            return f"the process that read it ended with code {code}"
        return f"the process that read it was ended by {signal.Signals(-code).name}"


def _forget() -> None:
    """Leave the processes to the one that this one was forked from: two would mix their files."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()


os.register_at_fork(after_in_child=_forget)


def _machine() -> int:
    """Return the bytes of memory that there are."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
