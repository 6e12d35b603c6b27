"""The verifier as a Silverback bot: events and blocks call it, in this process or in workers.

Silverback's part is to bring blocks and events to workers, by a broker in memory or in Redis. What
it brings late, twice or never does no harm: with each block the verifier looks at all that is open.
"""

import asyncio
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from silverback import SilverbackBot
from silverback.main import SharedState, TaskData
from silverback.runner import BaseRunner
from silverback.settings import Settings as SilverbackSettings
from silverback.state import Datastore, StateSnapshot
from silverback.types import SilverbackID
from silverback.utils import clean_hexbytes_dict, decode_topics_from_string
from taskiq.serializers import JSONSerializer
from web3 import Web3

from tallystick.chain.abi import contract
from tallystick.node.log import get_log
from tallystick.node.settings import Settings
from tallystick.node.verifier.connection import Connection, patiently
from tallystick.node.verifier.verifier import EXPECTED, Verifier

EVENTS = ("BatchCommitted", "BatchChallenged", "BatchDemanded", "LeafRevealed", "ChallengeUpheld")
"""Of the registry, after which there may be something to do at once."""
STALE = 20.0
"""Seconds after which a round counts as lost with its worker, and another is begun."""
CLAIM_AFTER = 15_000
"""Milliseconds after which a worker takes over what another has not finished."""

_LOG = get_log("bot")


def build(settings: Settings, connection: Connection, verifier: Verifier) -> SilverbackBot:
    """Return the bot; the process that brings events and each worker have one of their own.

    Args:
        settings: with a verifier section.
        connection: Ape's, of this process.
        verifier: this process's.
    """
    bot = patiently(lambda: SilverbackBot(_silverback(settings, connection, verifier)))

    def begin(_: Any) -> None:
        # Silverback sets it in one worker only, by a task.
        bot.state = SharedState()  # type: ignore[no-untyped-call]

    async def look(block: Any) -> None:
        await asyncio.to_thread(verifier.tick)

    bot.on_worker_startup()(begin)
    bot.on_(connection.blocks)(look)
    instance = connection.instance(
        verifier.watch.registry.address, list(contract("Tallystick").abi)
    )
    for name in EVENTS:
        _listen(bot, verifier, getattr(instance, name), name)
    return bot


class PatientRunner(BaseRunner):
    """Polls for blocks and events, and goes on when a node, a worker or Redis fails.

    Silverback's own runners end with the first failure of the node, and where no block comes for a
    while; where they begin is the present, so that what was before is the rounds' to find.

    Args:
        bot: this process's.
        w3: connected, patient.
        poll_every: seconds.
        folder: of the node.
    """

    def __init__(self, bot: SilverbackBot, w3: Web3, poll_every: float, folder: Path) -> None:
        super().__init__(bot, max_exceptions=sys.maxsize)
        self._w3, self._poll_every = w3, poll_every
        self.datastore = _Snapshots(folder)

    async def run_task(self, task_data: TaskData, *args: Any, raise_on_error: bool = False) -> Any:
        """Run a task; what fails is logged, and comes again with the next round."""
        if raise_on_error:
            return await super().run_task(task_data, *args, raise_on_error=True)
        try:
            return await super().run_task(task_data, *args)
        except Exception as error:
            _LOG.warning("a task failed", task=task_data.name, reason=repr(error))

    async def _block_task(self, task_data: TaskData) -> None:
        running: list[tuple[float, asyncio.Task[Any]]] = []
        while not self.shutdown_event.is_set():
            running = [
                (since, task)
                for since, task in running
                if not task.done() and time.monotonic() - since < STALE
            ]
            if not running:
                try:
                    block = await asyncio.to_thread(self._w3.eth.get_block, "latest")
                except EXPECTED as error:
                    _LOG.warning("no block", reason=repr(error))
                else:
                    told = clean_hexbytes_dict(dict(block))
                    task = self._runtime_task_group.create_task(self.run_task(task_data, told))
                    running.append((time.monotonic(), task))
            await asyncio.sleep(self._poll_every)

    async def _event_task(self, task_data: TaskData) -> None:
        query = {
            "address": task_data.labels["address"],
            "topics": decode_topics_from_string(task_data.labels["topics"]),
        }
        start: int | None = None
        while not self.shutdown_event.is_set():
            try:
                head = await asyncio.to_thread(lambda: self._w3.eth.block_number)
                if start is not None and head >= start:
                    span = query | {"fromBlock": start, "toBlock": head}
                    for log in await asyncio.to_thread(self._w3.eth.get_logs, span):  # type: ignore[arg-type]
                        told = clean_hexbytes_dict(dict(log))
                        self._runtime_task_group.create_task(self.run_task(task_data, told))
                start = head + 1
            except EXPECTED as error:
                _LOG.warning("no events", task=task_data.name, reason=repr(error))
            await asyncio.sleep(self._poll_every)


class _Settings(SilverbackSettings):
    """Silverback's, on the connection that there is already."""

    def get_provider_context(self) -> Any:
        """Return a context of this process's provider; Ape's own would connect anew, once."""
        return nullcontext(self.provider)


class _Snapshots(Datastore):
    """Silverback's own state, in the node's folder in place of the working one."""

    def __init__(self, folder: Path) -> None:
        self.state_backup_file = folder / "silverback.json"

    async def init(self, bot_id: SilverbackID) -> StateSnapshot | None:
        try:
            return StateSnapshot.model_validate_json(self.state_backup_file.read_text())
        except (OSError, ValueError):
            return None


def _listen(bot: SilverbackBot, verifier: Verifier, event: Any, name: str) -> None:
    async def happened(log: Any) -> None:
        await asyncio.to_thread(verifier.saw, bytes(log.event_arguments["batchId"]))

    # A task goes by its function's name.
    happened.__name__ = happened.__qualname__ = name
    bot.on_(event)(happened)


def _silverback(
    settings: Settings, connection: Connection, verifier: Verifier
) -> SilverbackSettings:
    own = settings.need_verifier()
    name = f"tallystick-{verifier.outbox.address.hex()[:12]}"
    values: dict[str, Any] = {"BOT_NAME": name, "NETWORK_CHOICE": connection.choice}
    if own.broker != "memory":
        values |= {
            "BROKER_CLASS": "taskiq_redis:RedisStreamBroker",
            "BROKER_KWARGS": {
                "url": own.broker,
                "queue_name": name,
                "consumer_group_name": name,
                # One at a time: what a killed worker had fetched waits until it is taken over.
                "xread_count": 1,
                "xread_block": 500,
                "idle_timeout": CLAIM_AFTER,
                "unacknowledged_lock_timeout": 5,
                "maxlen": 10_000,
            },
            "RESULT_BACKEND_CLASS": "taskiq_redis:RedisAsyncResultBackend",
            "RESULT_BACKEND_KWARGS": {
                "redis_url": own.broker,
                "result_ex_time": 600,
                # Its own would be pickle: whoever can write to Redis would run code here.
                "serializer": JSONSerializer(),
            },
        }
    return _Settings(**values)
