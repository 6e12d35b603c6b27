"""One process of an operator: HTTP in this thread, the chain in another."""

import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn
from web3 import Web3

from tallystick.chain.cache import ChainCache
from tallystick.chain.confirmations import confirmations_of
from tallystick.chain.follower import Follower
from tallystick.chain.rpc.persistent import NodePersistent, persist
from tallystick.chain.sender import Sender
from tallystick.chain.signer import Signer
from tallystick.node.errors import SettingsError
from tallystick.node.introduction import held
from tallystick.node.log import configure, get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.app import OperatorApp
from tallystick.node.operator.chain_loop import ChainLoop
from tallystick.node.operator.introduction import introduce
from tallystick.node.operator.journal import OperatorJournal
from tallystick.node.operator.lane import OperatorLane
from tallystick.node.operator.pipeline import Pipeline
from tallystick.node.operator.receipts import Receipts
from tallystick.node.operator.request_handler import RequestHandler
from tallystick.node.rpc import locate, other_nodes
from tallystick.node.sender import LockedSender
from tallystick.node.settings import LLM, ZK, Common, Settings
from tallystick.protocol.abi_words import uint
from tallystick.protocol.scope import Scope
from tallystick.storage.batch_store import BatchStore
from tallystick.storage.file_lock import try_lock

_MOST_WORKERS = 256
_MOST_CONNECTIONS = 1024
_BACKLOG = 2048


def run_operator(settings: Settings, w3: Web3, sender: Sender, signer: Signer) -> None:
    """Answer requests and look after the lane until a signal ends it.

    Args:
        settings: with an operator's section.
        w3: connected.
        sender: the operator's account, or its key's.
        signer: the same account; signs what is sent without waiting.

    Raises:
        SettingsError: the settings do not fit the chain, a port is taken, or another process has
            the data folder.
        RunnerError: a runner cannot be loaded.
    """
    common, own = settings.common, settings.need_operator()
    configure(common.log_level, common.log_format)
    log, metrics = get_log("operator"), Metrics()
    persist(w3, NodePersistent)
    chain_id = w3.eth.chain_id
    registry, first_block = locate(w3, common)
    folder = common.data / f"{chain_id}-{registry.address.hex()}-{own.network_id.hex()}"
    operator = own.operator or sender.address
    folder = folder / operator.hex()
    taken = held(folder, own.shared, "; needed to share it: operator.shared: true in each")
    place = uint(chain_id) + registry.address
    journal = OperatorJournal(folder / "journal.sqlite3", own.network_id, operator, place)
    worker, numbered = _number(folder)
    store = own.store or str(folder / "batches")
    confirmations = confirmations_of(common.confirmations, chain_id)
    locked_sender = LockedSender(sender, common.data, chain_id, metrics)
    lane = OperatorLane(
        own,
        registry,
        locked_sender,
        Follower(
            registry,
            first_block,
            confirmations.blocks,
            other_nodes(common, registry),
            Scope.lane(own.network_id, operator),
            ChainCache(folder / "chain.sqlite3"),
        ),
        journal,
        BatchStore(store),
        metrics,
    )
    languages = [model.id for model in own.models if model.runner == LLM]
    _release(journal, folder, worker, languages)
    handler = RequestHandler(own, registry.domain, journal, lane.sender, worker, metrics)
    pipeline = Pipeline(w3, signer, locked_sender.lock, metrics, own.reveal_gas_price_cap)
    proven = None
    if any(model.runner == ZK for model in own.models):
        from tallystick.node.operator.zk.batches import ProvenBatches
        from tallystick.node.operator.zk.queue import ProvingQueue

        # Beside the batches' data, where these are in a folder.
        beside = folder / "batches" if "://" in store else Path(store)
        queue = ProvingQueue(journal, own.proving, metrics)
        proven = ProvenBatches(lane, queue, beside / "proofs")
    rounds = ChainLoop(lane, pipeline, handler, common.poll_every, folder, proven)
    ended = _ending(rounds)
    _serve_metrics(metrics, common)
    listening = _listen(own.host, own.port)
    rounds.start()
    if rounds.capacity is not None:
        introduce(lane, handler.models, confirmations, rounds.capacity, store)
    chain = threading.Thread(target=rounds.run, name="chain", daemon=True)
    chain.start()
    llm = None
    if languages:
        from tallystick.node.operator.llm.handler import LlmHandler

        llm = LlmHandler(own, handler, journal, worker, metrics)
        llm.resume()
    receipts = Receipts(
        journal, registry.domain, llm.is_generating if llm else lambda request: False
    )
    app = OperatorApp(lane, handler, receipts, store, llm, proven).app
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=10,
        )
    )
    host, port = listening.getsockname()[:2]
    log.info("listening", host=host, port=port, operator=operator, worker=worker)
    if not ended.is_set():
        server.run(sockets=[listening])
    if llm is not None:
        llm.close()
    rounds.stop()
    if proven is not None:
        proven.queue.stop()
    chain.join(timeout=150)
    journal.close()
    numbered.close()
    taken.close()
    log.info("ended")


def _number(folder: Path) -> tuple[int, IO[str]]:
    """Return this process's number among those of the lane, and the lock that holds it."""
    for number in range(_MOST_WORKERS):
        lock = try_lock(_lock_of(folder, number))
        if lock is not None:
            return number, lock
    raise SettingsError(f"{_MOST_WORKERS} processes share {folder} already")


def _release(journal: OperatorJournal, folder: Path, own: int, languages: Sequence[bytes]) -> None:
    """Give back what processes that are gone, this one's predecessor among them, left behind.

    Language models' requests are taken over: their answers take long, and are the same again.
    """
    for number in journal.accepting():
        lock = None if number == own else try_lock(_lock_of(folder, number))
        if number != own and lock is None:
            continue
        journal.take_over(number, own, languages)
        done = journal.release_worker(number, languages)
        if done:
            get_log("operator").warning("requests without an answer released", count=done)
        if lock is not None:
            lock.close()


def _lock_of(folder: Path, number: int) -> Path:
    return folder / f"worker-{number}.lock"


def _serve_metrics(metrics: Metrics, common: Common) -> None:
    if common.metrics_port is None:
        return
    try:
        metrics.serve(common.metrics_host, common.metrics_port)
    except OSError as error:
        where = f"{common.metrics_host}:{common.metrics_port}"
        raise SettingsError(f"common.metrics_port: {where}: {error}") from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), backlog=_BACKLOG)
        # asyncio would do this for sockets of its own making; without it, answers wait 40 ms for
        # the client's acknowledgement of their headers. Accepted sockets inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on: {error}") from error


def _ending(rounds: ChainLoop) -> threading.Event:
    """Have a signal end the process before the server, which then takes signals over, is up."""
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()
        rounds.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return ended
