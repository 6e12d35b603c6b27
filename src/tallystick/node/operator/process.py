"""One process of an operator: HTTP in this thread, the chain in another."""

import fcntl
import os
import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import IO

import uvicorn
from web3 import Web3

from tallystick.chain import deployments
from tallystick.chain.registry import Registry
from tallystick.chain.sender import Sender
from tallystick.node.errors import SettingsError
from tallystick.node.follower import Follower
from tallystick.node.log import configure, get_log
from tallystick.node.metrics import Metrics
from tallystick.node.operator.app import OperatorApp
from tallystick.node.operator.desk import Desk
from tallystick.node.operator.journal import Journal
from tallystick.node.operator.lane import Lane
from tallystick.node.operator.receipts import Receipts
from tallystick.node.operator.rounds import Rounds
from tallystick.node.rpc import other_nodes, persist
from tallystick.node.sender import LockedSender
from tallystick.node.settings import Settings
from tallystick.store import BatchStore
from tallystick.words import uint

_MOST_WORKERS = 256
_MOST_CONNECTIONS = 1024
_BACKLOG = 2048


def run_operator(
    settings: Settings, w3: Web3, sender: Sender, deployed: Path | None = None
) -> None:
    """Answer requests and look after the lane until a signal ends it.

    Args:
        settings: with an operator's section.
        w3: connected.
        sender: the operator's account, or its key's.

    Raises:
        SettingsError: the settings do not fit the chain, or the port is taken.
    """
    common, own = settings.common, settings.need_operator()
    configure(common.log_level, common.log_format)
    log, metrics = get_log("operator"), Metrics()
    persist(w3)
    chain_id = w3.eth.chain_id
    registry, first_block = _registry(settings, w3, chain_id)
    folder = common.data / f"{chain_id}-{registry.address.hex()}-{own.network_id.hex()}"
    operator = own.operator or sender.address
    folder = folder / operator.hex()
    place = uint(chain_id) + registry.address
    journal = Journal(folder / "journal.sqlite3", own.network_id, operator, place)
    worker, held = _number(folder)
    store = own.store or str(folder / "batches")
    lane = Lane(
        own,
        registry,
        LockedSender(sender, common.data, chain_id, metrics),
        Follower(registry, first_block, common.confirmations, other_nodes(common, registry)),
        journal,
        BatchStore(store),
        metrics,
    )
    _release(journal, folder, worker)
    desk = Desk(own, registry.domain, journal, lane.sender, worker, metrics)
    rounds = Rounds(lane, desk, common.poll_every, folder)
    ended = _ending(rounds)
    if common.metrics_port is not None:
        metrics.serve(common.metrics_host, common.metrics_port)
    listening = _listen(own.host, own.port)
    rounds.start()
    chain = threading.Thread(target=rounds.run, name="chain", daemon=True)
    chain.start()
    app = OperatorApp(lane, desk, Receipts(journal, registry.domain), store).app
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
    rounds.stop()
    chain.join(timeout=150)
    journal.close()
    held.close()
    log.info("ended")


def _registry(settings: Settings, w3: Web3, chain_id: int) -> tuple[Registry, int]:
    """Return the core, and the block that its events begin at."""
    folder = Path(os.environ.get("TALLYSTICK_DEPLOYMENTS") or deployments.FOLDER)
    address = settings.common.registry
    if address is None:
        address = deployments.find(chain_id, folder=folder).address_bytes
    if not w3.eth.get_code(Web3.to_checksum_address(address)):
        raise SettingsError(f"chain {chain_id} has no contract at 0x{address.hex()}")
    first = settings.common.first_block
    if first is None:
        recorded = [
            one.block for one in deployments.read(chain_id, folder) if one.address_bytes == address
        ]
        first = min(recorded, default=0)
    return Registry(w3, address), first


def _number(folder: Path) -> tuple[int, IO[str]]:
    """Return this process's number among those of the lane, and the lock that holds it."""
    for number in range(_MOST_WORKERS):
        held = _try_lock(folder, number)
        if held is not None:
            return number, held
    raise SettingsError(f"{_MOST_WORKERS} processes share {folder} already")


def _release(journal: Journal, folder: Path, own: int) -> None:
    """Give back what processes that are gone, this one's predecessor among them, left behind."""
    for number in journal.accepting():
        held = None if number == own else _try_lock(folder, number)
        if number != own and held is None:
            continue
        done = journal.release_worker(number)
        get_log("operator").warning("requests without an answer released", count=done)
        if held is not None:
            held.close()


def _try_lock(folder: Path, number: int) -> IO[str] | None:
    file = (folder / f"worker-{number}.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), backlog=_BACKLOG)
        # asyncio would do this for sockets of its own making; without it, answers wait 40 ms for
        # the client's acknowledgement of their headers. Accepted sockets inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be listened on: {error}") from error


def _ending(rounds: Rounds) -> threading.Event:
    """Have a signal end the process before the server, which then takes signals over, is up."""
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()
        rounds.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return ended
