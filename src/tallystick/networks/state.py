"""Findings of followed networks in a data folder, for commands, page and API.

networks/<name>/findings.parquet   claims by day, chain, verdict and reason
networks/<name>/state.json         adapter, last blocks, measures, what went wrong
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.networks.adapter import JUDGED, VERDICTS, VERIFIED
from tallystick.networks.errors import FollowError
from tallystick.protocol.format_version import unknown_version
from tallystick.storage.durable import parquet, replace_file

VERSION = 1


@dataclass(frozen=True, slots=True)
class State:
    """A followed network, as its last run left it.

    Args:
        name: the network's in the folder.
        adapter: its adapter's name.
        title: as people call it.
        unit: of its counts.
        last_blocks: by chain id: how far its claims are known; of a failed chain as before.
        failures: by chain id: why it was not brought up to date in the last run.
        malformed: logs that were not what their event says.
        measures: see Judged.
        upgrades: implementations that its proxies were seen with, in all.
        cautions: see Adapter.
    """

    name: str
    adapter: str
    title: str
    unit: str
    last_blocks: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    malformed: int = 0
    measures: Mapping[str, int] = field(default_factory=dict)
    upgrades: int = 0
    cautions: tuple[str, ...] = ()


def folder_of(root: Path, name: str) -> Path:
    """Return the folder of a network in a data folder."""
    return root / "networks" / name


def write(root: Path, state: State, findings: pa.Table) -> None:
    """Replace what is known of a network; findings are of the schema JUDGED."""
    folder = folder_of(root, state.name)
    replace_file(folder / "findings.parquet", parquet(findings))
    measures = {name: str(value) for name, value in state.measures.items()}
    body = {"version": VERSION, **asdict(state), "measures": measures}
    replace_file(folder / "state.json", (json.dumps(body, indent=1) + "\n").encode())


def read(root: Path, name: str) -> State | None:
    """Return a network's state; None when it was never followed.

    Raises:
        FollowError: the file is of another format version.
    """
    path = folder_of(root, name) / "state.json"
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    if wrong := unknown_version("state of a network", found.pop("version", None), VERSION):
        raise FollowError(f"{path}: {wrong}")
    measures = {name: int(value) for name, value in found.pop("measures").items()}
    return State(measures=measures, cautions=tuple(found.pop("cautions")), **found)


def names(root: Path) -> list[str]:
    """Return the names of the networks that were followed into a data folder, ascending."""
    return sorted(path.parent.name for path in (root / "networks").glob("*/state.json"))


def findings(root: Path, name: str) -> pa.Table:
    """Return a network's findings, of the schema JUDGED; none before its first run."""
    path = folder_of(root, name) / "findings.parquet"
    return pq.read_table(path, schema=JUDGED) if path.exists() else JUDGED.empty_table()


def summary(table: pa.Table) -> dict[str, int]:
    """Return claims in all, verified ones, and by verdict, of findings of one unit.

    >>> summary(JUDGED.empty_table())["claimed"]
    0
    """
    sums = dict.fromkeys(VERDICTS, 0)
    for verdict, count in zip(
        table["verdict"].to_pylist(), table["count"].to_pylist(), strict=True
    ):
        sums[verdict] += count
    verified = sum(sums[verdict] for verdict in VERIFIED)
    return {"claimed": sum(sums.values()), "verified": verified, **sums}


def reasons(table: pa.Table) -> Iterable[dict[str, Any]]:
    """Yield claims by verdict and reason, in the order of VERDICTS."""
    keys = ["verdict", "reason"]
    rows = table.group_by(keys).aggregate([("count", "sum")]).to_pylist()
    order = list(VERDICTS)
    for row in sorted(rows, key=lambda one: (order.index(one["verdict"]), one["reason"])):
        yield {"verdict": row["verdict"], "reason": row["reason"], "count": row["count_sum"]}
