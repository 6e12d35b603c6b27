"""A verifier's processes: one that brings blocks and events, and with Redis workers beside it."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvicorn

from tallystick.node.errors import SettingsError
from tallystick.node.introduction import held
from tallystick.node.log import configure, get_log
from tallystick.node.metrics import Metrics
from tallystick.node.settings import Settings
from tallystick.node.verifier.assembly import assemble
from tallystick.node.verifier.bot import PatientRunner, build
from tallystick.node.verifier.connection import Connection
from tallystick.node.verifier.introduction import check, introduce
from tallystick.node.verifier.meter import Meter
from tallystick.node.verifier.pool.auditor import shown_seal
from tallystick.node.verifier.sharing import served
from tallystick.node.verifier.verifier import Verifier

_WORKER = "from tallystick.node.verifier.process import work; work()"
_WATCH_EVERY = 1.0
"""Seconds between two looks at whether a worker, or whoever began it, is still there."""

_LOG = get_log("process")


def run_verifier(file: Path | None, dry_run: bool = False) -> None:
    """Verify until a signal ends it.

    Args:
        file: of the settings; None: the environment has all of them.
        dry_run: send nothing, whatever the settings say.

    Raises:
        SettingsError: the settings do not fit the chain, a port is taken, or another process has
            the data folder.
        RunnerError: a runner cannot be loaded.
    """
    settings = _settings(file, dry_run)
    own = settings.need_verifier()
    configure(settings.common.log_level, settings.common.log_format)
    connection, verifier = _start(settings)
    check(settings, verifier)
    taken = held(verifier.home)
    metrics = Metrics()
    if settings.common.metrics_port is not None:
        _serve_metrics(metrics, settings)
    if own.share_port is not None:
        serve_statements(verifier, own.share_host, own.share_port)
    _every(settings.common.poll_every, Meter(metrics, verifier).read, "meter")
    if own.broker != "memory":
        _check_redis(own.broker)
        _every(_WATCH_EVERY, _Workers(own.workers, file, dry_run).watch, "workers")
    bot = build(settings, connection, verifier)
    runner = PatientRunner(bot, connection.w3, settings.common.poll_every, verifier.home)
    introduce(settings, verifier)
    with taken:
        asyncio.run(runner.run())  # type: ignore[no-untyped-call]


def work() -> None:
    """Be a worker; started by `run_verifier`, and ended when that is gone."""
    from silverback.worker import run_worker

    file, dry_run, parent = sys.argv[1:]
    settings = _settings(Path(file) if file else None, dry_run == "dry")
    configure(settings.common.log_level, settings.common.log_format)

    def check() -> None:
        if os.getppid() != int(parent):
            os._exit(1)

    _every(_WATCH_EVERY, check, "parent")
    connection, verifier = _start(settings)
    bot = build(settings, connection, verifier)
    _LOG.info("worker started", pid=os.getpid())
    asyncio.run(run_worker(bot.broker, worker_count=2, shutdown_timeout=10))


class _Workers:
    """Worker processes; one that is gone is replaced."""

    def __init__(self, count: int, file: Path | None, dry_run: bool) -> None:
        arguments = [str(file) if file else "", "dry" if dry_run else "", str(os.getpid())]
        self._command = [sys.executable, "-c", _WORKER, *arguments]
        self._count = count
        self._running: list[subprocess.Popen[bytes]] = []

    def watch(self) -> None:
        gone = [worker for worker in self._running if worker.poll() is not None]
        for worker in gone:
            _LOG.warning("a worker is gone", pid=worker.pid, code=worker.returncode)
            self._running.remove(worker)
        while len(self._running) < self._count:
            self._running.append(subprocess.Popen(self._command))


def _check_redis(url: str) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise SettingsError(f"verifier.broker: no Redis answers: {error}") from error


def _settings(file: Path | None, dry_run: bool) -> Settings:
    settings = Settings.load(file)
    own = settings.need_verifier()
    if not dry_run:
        return settings
    return settings.model_copy(update={"verifier": own.model_copy(update={"dry_run": True})})


def _start(settings: Settings) -> tuple[Connection, Verifier]:
    connection = Connection.open(settings.common)
    signer = connection.signer(settings.common.account)
    return connection, assemble(settings, connection.w3, signer)


def _serve_metrics(metrics: Metrics, settings: Settings) -> None:
    host, port = settings.common.metrics_host, settings.common.metrics_port
    assert port is not None
    try:
        server, _ = metrics.serve(host, port)
    except OSError as error:
        raise SettingsError(f"common.metrics_port: {host}:{port}: {error}") from error
    _LOG.info("metrics", host=host, port=server.server_port)


def serve_statements(verifier: Verifier, host: str, port: int) -> None:
    """Show others in a thread what this node signed; SettingsError if the port is taken."""
    journal = verifier.journal
    application = served(journal.statement_by_digest, partial(shown_seal, journal))
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        limit_concurrency=64,
        timeout_keep_alive=5,
    )
    _listening(uvicorn.Server(config))


def _listening(server: uvicorn.Server) -> None:
    thread = threading.Thread(target=server.run, name="statements", daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.05)
    if not server.started:
        host, port = server.config.host, server.config.port
        raise SettingsError(f"verifier.share_port: {host}:{port} cannot be listened on")


def _every(seconds: float, work: Callable[[], None], name: str) -> None:
    def run() -> None:
        while True:
            try:
                work()
            except Exception as error:
                _LOG.warning("failed; tried again", what=name, reason=repr(error))
            time.sleep(seconds)

    threading.Thread(target=run, name=name, daemon=True).start()
