"""Extract: a contract's logs from JSON-RPC into Parquet, resumable, aware of reorgs.

Files stand for fixed ranges of blocks, so a run that was interrupted anywhere, and run again, ends
with the same files as one that was not. A part counts once the manifest names it; what the
manifest does not name is removed.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.durable import parquet, replace_file
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.errors import ManifestError, UnavailableError
from tallystick.extract.fetch import Fetched, Header, fetch, header
from tallystick.extract.lock import locked
from tallystick.extract.manifest import Manifest, Part
from tallystick.extract.rpc import ATTEMPTS, LONGEST_WAIT, Node, Nodes
from tallystick.extract.schema import LOGS, UNIQUE
from tallystick.extract.transport import AiohttpTransport
from tallystick.extract.window import Window
from tallystick.progress import Progress

BLOCK_RANGE = 10_000
CONCURRENCY = 4
NOTE_EVERY = 1.0
"""Seconds between two writings of the manifest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to extract, and how.

    Args:
        urls: JSON-RPC over HTTP, in the order of preference; all of one chain.
        address: the contract's, 20 bytes.
        first_block: from where on; the block of the contract's deployment, or earlier.
        depth: blocks below the latest to stop at; None: the finalized block.
        block_range: blocks of a file.
        concurrency: ranges asked for at once.
        timeout: seconds for one answer.
        attempts: of a call at one node.
        longest_wait: seconds between two attempts.
        topics: first topics of the logs to fetch, as hex text; None: all. Of a core those that
            count, see chain.logs.topics.
    """

    urls: Sequence[str]
    address: bytes
    first_block: int = 0
    depth: int | None = None
    block_range: int = BLOCK_RANGE
    concurrency: int = CONCURRENCY
    timeout: float = 60.0
    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_WAIT
    topics: Sequence[str] | None = None


OnPart = Callable[[Core, Part, pa.Table], None]


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a run did."""

    core: Core
    first_block: int
    last_block: int
    rows: int
    """Logs in the folder now."""
    written: int
    """Files written by this run."""
    replaced: int
    """Files given up because the chain had another history (a reorg)."""


def extract(
    data: Dataset,
    plan: Plan,
    progress: Progress | None = None,
    on_part: OnPart | None = None,
) -> Extracted:
    """Bring a data folder up to the chain's head; progress is told in blocks.

    Args:
        data: the folder.
        plan: what to extract.
        progress: told blocks done and in all.
        on_part: called with each file that was written and its logs, in a thread, while others are
            fetched.

    Raises:
        ExtractError: nodes refuse or fail, or the folder is another core's; what was extracted
            before stays, and running again goes on from there.
    """
    return asyncio.run(extract_async(data, plan, progress, on_part))


async def extract_async(
    data: Dataset,
    plan: Plan,
    progress: Progress | None = None,
    on_part: OnPart | None = None,
) -> Extracted:
    """As extract, within a running event loop."""
    transport = AiohttpTransport(plan.concurrency * len(plan.urls) + 2)
    async with httpx.AsyncClient(timeout=plan.timeout, transport=transport) as client:
        nodes = Nodes([Node(url, client, plan.attempts, plan.longest_wait) for url in plan.urls])
        core = Core(await nodes.chain_id(), plan.address)
        with locked(data.logs(core)):
            return await _Run(data, plan, nodes, core, progress, on_part).run()


class _Run:
    """One run over one core."""

    def __init__(
        self,
        data: Dataset,
        plan: Plan,
        nodes: Nodes,
        core: Core,
        progress: Progress | None,
        on_part: OnPart | None,
    ) -> None:
        self._on_part = on_part
        self._plan, self._nodes, self._core, self._progress = plan, nodes, core, progress
        self._folder, self._file = data.logs(core), data.manifest(core)
        self._manifest = self._read()
        self._windows = {node.url: Window(self._manifest.block_range) for node in nodes.all}
        self._written = self._replaced = 0
        self._noted = time.monotonic()
        self._done = 0

    async def run(self) -> Extracted:
        self._clean()
        for _ in range(10):
            head = await self._head()
            await self._drop_forked()
            await self._advance(head)
            # The chain may have gone over to another fork while its logs were read.
            if not self._todo(head) and await self._is_canonical():
                break
        else:
            raise UnavailableError("the chain's head does not keep still; choose a greater depth")
        return Extracted(
            self._core,
            self._manifest.first_block,
            self._manifest.last_block,
            self._manifest.rows,
            self._written,
            self._replaced,
        )

    def _read(self) -> Manifest:
        plan, found = self._plan, Manifest.read(self._file)
        if found is None:
            return Manifest(self._core.chain_id, plan.address, plan.first_block, plan.block_range)
        if found.block_range != plan.block_range or found.first_block > plan.first_block:
            raise ManifestError(
                f"{self._file} has ranges of {found.block_range} blocks from block "
                f"{found.first_block} on; asked for: {plan.block_range} from {plan.first_block}"
            )
        return found

    def _clean(self) -> None:
        """Remove what a run left that did not come to note it."""
        named = {part.name for part in self._manifest.parts}
        for path in self._folder.iterdir():
            if path.name not in named and path.name != ".lock":
                path.unlink()
        present = {path.name for path in self._folder.iterdir()}
        self._manifest.parts = [part for part in self._manifest.parts if part.name in present]

    async def _head(self) -> int:
        """Return the number of the last block that is to be read."""
        depth = self._plan.depth
        if depth is None:
            found = await self._nodes.at_one(lambda node: header(node, "finalized"))
            return found.height
        found = await self._nodes.at_one(lambda node: header(node, "latest"))
        return max(found.height - depth, self._manifest.first_block - 1)

    async def _is_canonical(self) -> bool:
        """Whether all parts are of one history, and that one is the chain's.

        An interrupted run to a higher head may have left gaps above this one's.
        """
        runs = self._manifest.linked()
        if any(one[-1].last + 1 == other[0].first for one, other in pairwise(runs)):
            return False
        return all([await self._has(run[-1]) for run in runs])

    async def _drop_forked(self) -> None:
        """Give up the parts that are not the chain's any more.

        A block's hash stands for all blocks before it, so of each run the good parts are a prefix.
        """
        kept: list[Part] = []
        for run in self._manifest.linked():
            good, bad = 0, len(run)
            if await self._has(run[-1]):
                good = bad
            while good < bad:
                middle = (good + bad) // 2
                if await self._has(run[middle]):
                    good = middle + 1
                else:
                    bad = middle
            kept += run[:good]
        if given_up := len(self._manifest.parts) - len(kept):
            self._replaced += given_up
            self._manifest.parts = kept
            self._manifest.write(self._file)
            self._clean()

    async def _has(self, part: Part) -> bool:
        """Whether the chain has the last block of a part."""

        async def ask(node: Node) -> Header | None:
            # Shorter than it was: the block is gone.
            if (await header(node, "latest")).height < part.last:
                return None
            return await header(node, part.last)

        found = await self._nodes.at_one(ask)
        return found is not None and found.hash == part.boundary

    async def _advance(self, head: int) -> None:
        todo = self._todo(head)
        blocks = sum(last - first + 1 for first, last in todo)
        self._done = max(0, head - self._manifest.first_block + 1 - blocks)
        self._tell(head)
        queue = iter(todo)
        # While a range is written, the next one is asked for; no more than these wait in memory.
        room = asyncio.Semaphore(self._plan.concurrency)

        async def keep(first: int, last: int, fetched: Fetched) -> None:
            await self._extend(first, last, fetched)
            self._done += last - first + 1
            self._tell(head)
            room.release()

        async def work() -> None:
            for first, last in queue:
                fetched = await self._fetch(first, last)
                await room.acquire()
                group.create_task(keep(first, last, fetched))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._plan.concurrency):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            if todo:
                self._manifest.write(self._file)

    def _todo(self, head: int) -> list[tuple[int, int]]:
        """Return the ranges that are missing up to the head, each within one file's."""
        there = {part.first: part.last for part in self._manifest.parts}
        size, start, ranges = self._manifest.block_range, self._manifest.first_block, []
        while start <= head:
            full = (start // size + 1) * size - 1
            last = min(full, head)
            known = there.get(start, start - 1)
            if known < last:
                ranges.append((known + 1, last))
            start = full + 1
        return ranges

    async def _fetch(self, first: int, last: int) -> Fetched:
        async def ask(node: Node) -> Fetched:
            window, core = self._windows[node.url], self._core.address
            return await fetch(node, window, core, first, last, self._plan.topics)

        return await self._nodes.at_one(ask)

    async def _extend(self, first: int, last: int, fetched: Fetched) -> None:
        """Write the file that ends with a range."""
        before = self._grows(first)
        if before is not None and before.boundary != fetched.parent:
            # Another fork since it was looked at; the run's last look finds the range missing.
            return
        part = await asyncio.to_thread(self._write, first, last, fetched, before)
        self._manifest.put(part)
        self._written += 1
        if time.monotonic() - self._noted > NOTE_EVERY:
            self._manifest.write(self._file)
            self._noted = time.monotonic()

    def _grows(self, first: int) -> Part | None:
        """Return the part whose file blocks from this one on belong to, if there is one."""
        if first % self._manifest.block_range == 0:
            return None
        return next((part for part in self._manifest.parts if part.last == first - 1), None)

    def _write(self, first: int, last: int, fetched: Fetched, before: Part | None) -> Part:
        table, parent = fetched.table, fetched.parent
        if before is not None:
            known = pq.read_table(self._folder / before.name, schema=LOGS)
            table = pa.concat_tables([known, table]).combine_chunks()
            first, parent = before.first, before.parent
        content = parquet(table, UNIQUE)
        digest = hashlib.sha256(content).hexdigest()
        part = Part(first, last, parent, fetched.boundary, len(table), digest)
        replace_file(self._folder / part.name, content)
        if before is not None:
            (self._folder / before.name).unlink()
        if self._on_part:
            self._on_part(self._core, part, table)
        return part

    def _tell(self, head: int) -> None:
        if self._progress:
            self._progress(self._done, max(0, head - self._manifest.first_block + 1))
