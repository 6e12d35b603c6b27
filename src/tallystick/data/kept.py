"""A registry's events by columns, kept where commands keep what they read: for what needs all.

A data folder beside the cache of logs by scope (chain.cache), brought up to the chain's head each
time: a second look reads the blocks since. One process at a time uses it, and others wait. Logs
that a node left out are read again from the next one.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tallystick.chain.cache import cache_folder
from tallystick.chain.rpc.url import RpcUrl
from tallystick.data.analysis import Analysis
from tallystick.data.completeness import find_gaps
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.errors import ManifestError
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.data.extract.gaps import places
from tallystick.data.pipeline import read_on
from tallystick.errors import MissingLogsError
from tallystick.protocol.progress import Progress
from tallystick.storage.file_lock import locked

_LOG = logging.getLogger(__name__)


class KeptColumns:
    """The folder, as long as this process has it; see kept_columns.

    Args:
        root: the folder.
        contract: the registry.
        urls: JSON-RPC over HTTP, in the order of preference.
        first_block: the registry's first, or earlier.
        progress: told in blocks.
    """

    def __init__(
        self,
        root: Path,
        contract: ContractKey,
        urls: Sequence[str],
        first_block: int,
        progress: Progress | None = None,
    ) -> None:
        self.urls = tuple(urls)
        self._data, self._contract, self._progress = Dataset(root), contract, progress
        self._plan = ExtractPlan(self.urls, contract.address, first_block, depth=0)
        self._turns = max(1, len(self.urls) - 1)
        """Times more that logs are asked for which a node has left out."""

    def bring(self) -> None:
        """Read on to the head; again, from the next node, what events prove to be missing.

        Raises:
            MissingLogsError: every node leaves out logs.
            RpcError, ExtractError, DecodeError: see pipeline.read_on.
        """
        try:
            read_on(self._data, self._plan, self._progress)
        except ManifestError:
            # Another version's, or of a chain that began anew.
            _empty(self._data.root)
            read_on(self._data, self._plan, self._progress)
        while gaps := find_gaps(self._data, self._contract, self.urls):
            blocks = min(gap.first for gap in gaps), max(gap.last for gap in gaps)
            if not self._read_again(*blocks):
                hosts = ", ".join(RpcUrl.parse(url).name for url in self.urls)
                raise MissingLogsError(
                    f"{places(gaps)} at {hosts}; needed: another node, as by --more-rpc URL"
                )

    def bring_again(self) -> bool:
        """Read everything again from the next node; False: each has been asked.

        For when the contract counts what events do not. Raises as bring does.
        """
        if not self._read_again(self._plan.first_block, self._last_block):
            return False
        self.bring()
        return True

    def analysis(self, block: int | None = None, boundary: str = "") -> Analysis:
        """Return the events up to a block's end, for questions.

        Args:
            block: number, not above the head; None: the head.
            boundary: the block's hash, hex text.
        """
        whole = Analysis(self._data.root)
        (held,) = whole.coverage
        if block is None or block == held.last_block:
            return whole
        before = {
            name: table.filter(table.block_number <= block) for name, table in whole.tables.items()
        }
        part = whole.over(before)
        part.coverage = [replace(held, last_block=block, boundary=boundary)]
        return part

    @property
    def _last_block(self) -> int:
        return self._data.read_manifest(self._contract).last_block

    def _read_again(self, first: int, last: int) -> bool:
        if not self._turns:
            return False
        self._turns -= 1
        self.urls = (*self.urls[1:], self.urls[0])
        self._plan = replace(self._plan, urls=self.urls)
        read_on(self._data, replace(self._plan, repair=(first, last)), self._progress)
        return True


@contextmanager
def kept_columns(
    contract: ContractKey,
    urls: Sequence[str],
    first_block: int,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> Iterator[KeptColumns]:
    """Yield a registry's events up to the chain's head, for as long as this process has them.

    Args:
        contract: the registry.
        urls: JSON-RPC over HTTP, in the order of preference.
        first_block: the registry's first, or earlier.
        progress: told in blocks.
        folder: where they are kept; None: where commands do. One that cannot be written is one
            that is gone with this process.

    Raises:
        MissingLogsError: every node leaves out logs.
        RpcError, ExtractError, DecodeError: see pipeline.read_on.
    """
    name = f"{contract.chain_id}-{contract.address.hex()}"
    with _locked((folder or cache_folder()) / name) as root:
        found = KeptColumns(root, contract, urls, first_block, progress)
        found.bring()
        yield found


@contextmanager
def _locked(root: Path) -> Iterator[Path]:
    """Yield the folder once no other process has it; a crash lets go of it."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not os.access(root, os.W_OK):
            raise PermissionError(f"{root} cannot be written")
    except OSError as error:
        _LOG.warning("events are read anew each time: %s; needed: TALLYSTICK_CACHE", error)
        with tempfile.TemporaryDirectory() as alone:
            yield Path(alone)
        return
    with locked(root / ".lock"):
        yield root


def _empty(root: Path) -> None:
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
