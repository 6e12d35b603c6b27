"""Note of the last collect: of how many batches it is unknown whether there are data."""

import json
from pathlib import Path

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.protocol.format_version import need_version
from tallystick.storage.durable import replace_file

NOBODY_LOOKED = "nobody has looked for batch data yet; `tallystick collect` does"
_NAME, _VERSION = "asked.json", 1


def note_unreachable(folder: Path, batches: int) -> None:
    """Note of how many batches nothing is known, in a registry's folder of inferences."""
    said = {"version": _VERSION, "unreachable": batches}
    replace_file(folder / _NAME, json.dumps(said).encode() + b"\n")


def unreachable_batches(data: Dataset, registry: ContractKey) -> int | None:
    """Return of how many batches the last collect does not know whether there are data.

    None: nobody has looked for data at all.
    """
    folder = data.inferences(registry)
    if not any(folder.glob("*.parquet")):
        return None
    try:
        found = json.loads((folder / _NAME).read_bytes())
    except FileNotFoundError:
        return 0
    return int(need_version("note of collect", found, _VERSION)["unreachable"])


def found_share(found: int, committed: int, unreachable: int | None) -> tuple[float | None, str]:
    """Return the share of inferences with data, and what it lacks; None: it is unknown.

    Args:
        found: inferences in batches with data.
        committed: inferences, by the events.
        unreachable: as unreachable_batches gives it.

    >>> found_share(0, 5, 2)[0] is None, found_share(0, 5, 0)
    (True, (0.0, ''))
    """
    if unreachable is None:
        return None, NOBODY_LOOKED if committed else ""
    known = committed and (found or not unreachable)
    share = found / committed if known else None
    because = f"no store told of the data of {unreachable} batches: it may be more"
    return share, because if unreachable and share != 1 else ""
