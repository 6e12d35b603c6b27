"""tallystick probe: ask endpoints, and note in a log who answers."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import click

from tallystick.cli.command import ConsoleCommand
from tallystick.cli.output import show
from tallystick.data.probe.endpoints import MAX_TIMEOUT, Endpoint, read_endpoints
from tallystick.data.probe.log import ProbeLog
from tallystick.data.probe.result import ProbeResult
from tallystick.protocol.hexes import checksummed, to_hex


@click.command(cls=ConsoleCommand, example="tallystick probe endpoints.yaml --log probes.jsonl")
@click.argument("endpoints", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Probe log to append to, JSON Lines; made when it does not exist.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Rounds; each asks every endpoint once.",
)
@click.option(
    "--every",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds from a round's start to the next one's; a longer round delays the next.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, max=MAX_TIMEOUT, min_open=True),
    help="Seconds for a whole answer, in place of the file's.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def probe(
    endpoints: Path,
    log_file: Path,
    count: int,
    every: float,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Ask the endpoints of a YAML file, and append what they did to a probe log.

    An endpoint that doesn't answer is a finding, not a failure: the exit code is 0.
    """
    asked = read_endpoints(endpoints)
    if timeout is not None:
        asked = [replace(endpoint, timeout=timeout) for endpoint in asked]
    rounds = _loop(asked, ProbeLog(log_file), count, every)
    show([_row(results) for results in zip(*rounds, strict=True)], as_json)


def _loop(
    endpoints: Sequence[Endpoint], log: ProbeLog, count: int, every: float
) -> list[list[ProbeResult]]:
    from tallystick.data.probe.prober import probe_all  # httpx is an extra

    rounds = []
    due = time.monotonic()
    for _ in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        due = time.monotonic() + every
        results = probe_all(endpoints)
        # All or none: an interrupted round would hold the quick ones only.
        log.append(results)
        rounds.append(results)
    return rounds


def _row(results: Sequence[ProbeResult]) -> dict[str, Any]:
    """Return what an endpoint did over the rounds."""
    last = results[-1]
    seconds = [one.seconds_to_last_byte for one in results if one.seconds_to_last_byte is not None]
    return {
        "chain_id": last.chain_id,
        "core": checksummed(last.core),
        "network_id": to_hex(last.network_id),
        "operator": checksummed(last.operator),
        "url": last.url,
        "asked": len(results),
        "answered": len(seconds),
        "median_seconds": round(median(seconds), 3) if seconds else None,
        "last_status": last.status,
        "last_signature": last.signature,
        "last_error": last.error,
    }
