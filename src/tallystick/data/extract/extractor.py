"""Extract: a contract's logs from JSON-RPC into Parquet, resumable, aware of reorgs.

Files stand for fixed ranges of blocks, so a run that was interrupted anywhere, and run again, ends
with the same files as one that was not. A part counts once the manifest names it; what the
manifest does not name is removed.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.chain.rpc.errors import BehindError, PrunedError, RpcError, UnavailableError
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.errors import ExtractError, HeadError, ManifestError
from tallystick.data.extract.fetch import FetchedLogs, fetch, header
from tallystick.data.extract.heads import Heads, borne_out, check_reach, read_heads
from tallystick.data.extract.lock import locked
from tallystick.data.extract.logs import merge
from tallystick.data.extract.manifest import LogManifest, Part
from tallystick.data.extract.rpc import ATTEMPTS, LONGEST_WAIT, Nodes, RpcNode
from tallystick.data.extract.schema import ADDRESSED, LOGS, UNIQUE
from tallystick.data.extract.transport import AiohttpTransport
from tallystick.data.extract.window import Window
from tallystick.errors import NoContractError
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.progress import Progress
from tallystick.storage.durable import parquet, replace_file

_LOG = logging.getLogger(__name__)

BLOCK_RANGE = 10_000
CONCURRENCY = 4
TURNS = 10
"""Times that a run begins anew while the chain's head moves, before it gives up."""
NOTE_EVERY = 1.0
"""Seconds between two writings of the manifest."""


@dataclass(frozen=True, slots=True)
class ExtractPlan:
    """A contract to extract, the nodes to read from, and how.

    Args:
        urls: JSON-RPC over HTTP, in the order of preference; all of one chain.
        address: the contract's, 20 bytes; None: every contract's logs of the topics, which are kept
            with their addresses as those of the zero address.
        first_block: from where on; the block of the contract's deployment, or earlier.
        depth: blocks below the latest to stop at; None: the finalized block.
        block_range: blocks of a file.
        concurrency: ranges asked for at once.
        timeout: seconds for one answer.
        attempts: of a call at one node.
        longest_wait: seconds between two attempts.
        topics: first topics of the logs to fetch, as hex text; None: all. Of a registry those that
            count, see chain.logs.topics.
        repair: first and last block of what is read once more; logs that are new are added. It may
            begin before the folder's first block.
        chain_id: the chain that the nodes must be of; None: any.
    """

    urls: Sequence[str]
    address: bytes | None
    first_block: int = 0
    depth: int | None = None
    block_range: int = BLOCK_RANGE
    concurrency: int = CONCURRENCY
    timeout: float = 60.0
    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_WAIT
    topics: Sequence[str] | None = None
    repair: tuple[int, int] | None = None
    chain_id: int | None = None


OnPart = Callable[[ContractKey, Part, pa.Table], None]


@dataclass(frozen=True, slots=True)
class Extracted:
    """The result of a run."""

    contract: ContractKey
    first_block: int
    last_block: int
    rows: int
    """Logs in the folder now."""
    written: int
    """Files written by this run."""
    replaced: int
    """Files given up because the chain had another history (a reorg)."""
    added: int
    """Logs that a repair found missing."""
    latest_block: int
    """The latest that a node has; those above last_block were not asked for."""


def extract(
    data: Dataset,
    plan: ExtractPlan,
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
        RpcError: nodes refuse or fail, or are behind what the folder holds; what was extracted
            before stays, and running again goes on from there.
        NoContractError: no contract is at the address.
        HeadError: no block that is asked for is there yet, or final.
        ExtractError: the folder is another registry's, or another process writes to it.
    """
    return asyncio.run(extract_async(data, plan, progress, on_part))


async def extract_async(
    data: Dataset,
    plan: ExtractPlan,
    progress: Progress | None = None,
    on_part: OnPart | None = None,
) -> Extracted:
    """Run extract within a running event loop."""
    transport = AiohttpTransport(plan.concurrency * len(plan.urls) + 2)
    async with httpx.AsyncClient(timeout=plan.timeout, transport=transport) as client:
        nodes = Nodes([RpcNode(url, client, plan.attempts, plan.longest_wait) for url in plan.urls])
        chain_id = await nodes.chain_id()
        if plan.chain_id not in (None, chain_id):
            raise ExtractError(f"the nodes are of chain {chain_id}; needed: {plan.chain_id}")
        registry = ContractKey(chain_id, plan.address or ZERO_ADDRESS)
        with locked(data.logs(registry)):
            return await _Run(data, plan, nodes, registry, progress, on_part).run()


class _Run:
    """One run over one registry."""

    def __init__(
        self,
        data: Dataset,
        plan: ExtractPlan,
        nodes: Nodes,
        registry: ContractKey,
        progress: Progress | None,
        on_part: OnPart | None,
    ) -> None:
        self._on_part = on_part
        self._plan, self._nodes, self._contract, self._progress = plan, nodes, registry, progress
        self._schema = ADDRESSED if plan.address is None else LOGS
        self._folder, self._file = data.logs(registry), data.manifest(registry)
        self._manifest = self._read()
        self._windows = {node.url: Window(self._manifest.block_range) for node in nodes.all}
        self._written = self._replaced = self._added = self._latest = 0
        self._noted = time.monotonic()
        self._done = 0

    async def run(self) -> Extracted:
        self._clean()
        head = await self._look()
        await self._check_start(head)
        await self._repair()
        trouble: RpcError = UnavailableError(
            "the chain's head does not keep still; choose a greater depth"
        )
        for turn in range(TURNS):
            if turn:
                await asyncio.sleep(min(0.1 * turn, self._plan.longest_wait))
            try:
                await self._advance(head)
                # The chain may have gone over to another fork while its logs were read.
                if not self._todo(head) and await self._is_canonical():
                    break
                head = await self._look()
            except BehindError as error:
                # One URL may stand for several machines, of which some come later.
                trouble = error
                with contextlib.suppress(BehindError):
                    head = await self._look()
        else:
            raise trouble
        return Extracted(
            self._contract,
            self._manifest.first_block,
            self._manifest.last_block,
            self._manifest.rows,
            self._written,
            self._replaced,
            self._added,
            self._latest,
        )

    def _read(self) -> LogManifest:
        plan, found = self._plan, LogManifest.read(self._file)
        if found is None:
            contract = self._contract
            return LogManifest(
                contract.chain_id, contract.address, plan.first_block, plan.block_range
            )
        if plan.repair and plan.repair[0] < found.first_block:
            found.first_block = plan.repair[0]
            # The part that began at the old first block, and not where ranges do.
            found.parts = [part for part in found.parts if part.first % found.block_range == 0]
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

    async def _look(self) -> int:
        """Return the last block that is to be read; parts of another fork are given up.

        Raises:
            BehindError: no node has come to where the folder is, and none shows another fork.
        """

        async def ask(node: RpcNode) -> tuple[Heads, Sequence[Part]]:
            heads = await read_heads(node, self._plan.depth)
            parts = await borne_out(node, self._manifest, self._folder, heads.latest)
            check_reach(node, parts, heads.latest)
            return heads, parts

        heads, kept = await self._nodes.at_one(ask)
        if given_up := len(self._manifest.parts) - len(kept):
            self._replaced += given_up
            self._manifest.parts = list(kept)
            self._manifest.write(self._file)
            self._clean()
        self._latest = heads.latest
        runs = self._manifest.linked()
        if any(one[-1].last + 1 != other[0].first for one, other in pairwise(runs)):
            # An interrupted run to a higher head left gaps.
            return max(heads.target, runs[-1][-1].last)
        return heads.target

    async def _is_canonical(self) -> bool:
        """Return whether all parts are of one history, and that one is the chain's."""

        async def ask(node: RpcNode) -> bool:
            latest = (await header(node, "latest")).height
            parts = await borne_out(node, self._manifest, self._folder, latest)
            check_reach(node, parts, latest)
            return len(parts) == len(self._manifest.parts)

        return len(self._manifest.linked()) <= 1 and await self._nodes.at_one(ask)

    async def _check_start(self, head: int) -> None:
        """Make sure that there is something to read.

        Raises:
            HeadError: no block that is asked for is there yet, or final.
            NoContractError: no contract is at the address.
        """
        first, latest = self._manifest.first_block, self._latest
        if first > latest:
            raise HeadError(f"--from-block {first} is beyond the chain's latest block {latest}")
        if self._manifest.rows:
            return
        if self._plan.depth is None:
            far = f"the finalized block is {head}, the latest {latest}"
        else:
            far = f"--depth {self._plan.depth} leaves blocks up to {head}, the latest is {latest}"
        nearer = (
            "a smaller --depth reads nearer to it"
            if self._plan.depth
            else ("--depth BLOCKS below the latest reads nearer to it")
        )
        if head < first:
            raise HeadError(f"no block from {first} on is to be read yet: {far}; {nearer}")
        if self._plan.address is None:
            return
        address = to_hex(self._contract.address)
        where = f"chain {self._contract.chain_id}"
        if not await self._has_code(latest):
            raise NoContractError(f"no contract is at {address} on {where}, at block {latest}")
        with contextlib.suppress(PrunedError, BehindError):
            if not await self._has_code(head):
                raise HeadError(f"the contract {address} is not there yet: {far}; {nearer}")

    async def _has_code(self, block: int) -> bool:
        async def ask(node: RpcNode) -> bool:
            code = await node.call(str, "eth_getCode", to_hex(self._contract.address), hex(block))
            return len(code) > len("0x")

        return await self._nodes.at_one(ask)

    async def _repair(self) -> None:
        """Read parts once more, as the plan says, and add the logs that they lack."""
        if self._plan.repair is None:
            return
        low, high = self._plan.repair
        for part in list(self._manifest.parts):
            if part.last < low or high < part.first:
                continue
            fetched = await self._fetch(part.first, part.last)
            if (fetched.parent, fetched.boundary) != (part.parent, part.boundary):
                # Another fork since it was looked at; the next look gives it up.
                continue
            known = self._readable(part)
            if not (merged := merge(known, fetched.table)).equals(known):
                await asyncio.to_thread(self._keep, part, merged)
                self._added += len(merged) - len(known)
        self._manifest.write(self._file)

    def _readable(self, part: Part) -> pa.Table:
        """Return the logs of a part's file; none where it is damaged."""
        path = self._folder / part.name
        try:
            return pq.read_table(path, schema=self._schema)
        except (pa.ArrowException, OSError) as error:
            _LOG.warning("%s is damaged, and is read again: %s", path, error)
            return self._schema.empty_table()

    async def _advance(self, head: int) -> None:
        todo = self._todo(head)
        blocks = sum(last - first + 1 for first, last in todo)
        self._done = max(0, head - self._manifest.first_block + 1 - blocks)
        self._tell(head)
        queue = iter(todo)
        # While a range is written, the next one is asked for; no more than these wait in memory.
        room = asyncio.Semaphore(self._plan.concurrency)

        async def keep(first: int, last: int, fetched: FetchedLogs) -> None:
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

    async def _fetch(self, first: int, last: int) -> FetchedLogs:
        async def ask(node: RpcNode) -> FetchedLogs:
            window, plan = self._windows[node.url], self._plan
            return await fetch(node, window, plan.address, first, last, plan.topics)

        return await self._nodes.at_one(ask)

    async def _extend(self, first: int, last: int, fetched: FetchedLogs) -> None:
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

    def _write(self, first: int, last: int, fetched: FetchedLogs, before: Part | None) -> Part:
        table, parent = fetched.table, fetched.parent
        if before is not None:
            known = pq.read_table(self._folder / before.name, schema=self._schema)
            table = pa.concat_tables([known, table]).combine_chunks()
            first, parent = before.first, before.parent
        part = self._put(Part(first, last, parent, fetched.boundary, 0, ""), table)
        if before is not None:
            (self._folder / before.name).unlink()
        return part

    def _keep(self, part: Part, table: pa.Table) -> None:
        """Replace a part's file."""
        self._manifest.put(self._put(part, table))
        self._written += 1

    def _put(self, part: Part, table: pa.Table) -> Part:
        """Write a part's file; return the part with what it holds now."""
        content = parquet(table, UNIQUE)
        digest = hashlib.sha256(content).hexdigest()
        part = replace(part, rows=len(table), sha256=digest)
        replace_file(self._folder / part.name, content)
        if self._on_part:
            self._on_part(self._contract, part, table)
        return part

    def _tell(self, head: int) -> None:
        if self._progress:
            self._progress(self._done, max(0, head - self._manifest.first_block + 1))
