"""Ranges of blocks from which logs are proved to be missing, kept beside a registry's manifest."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.storage.durable import replace_file

VERSION = 2
_SHOWN = 3
"""Gaps that are told one by one."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Logs are missing somewhere in these blocks, or before the first that was read."""

    first: int
    last: int
    reason: str
    """The event that proves it."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Findings of a look at a registry's logs."""

    logs: str
    """Digest of the logs that were looked at; others are looked at anew."""
    proved: tuple[Gap, ...]
    """What events prove."""
    strangers: tuple[tuple[str, int], ...] = ()
    """Networks that events name and none registers, and the first block that does."""
    last_block: int = -1
    """At whose end the contract was asked; -1: it was not."""
    counted: tuple[Gap, ...] = ()
    """What the contract showed then."""
    beyond: int = 0
    """Wei that the contract held then, and of which no event told."""

    @property
    def found(self) -> tuple[Gap, ...]:
        """All gaps."""
        return self.proved + self.counted


def read_gaps(data: Dataset, registry: ContractKey) -> Gaps | None:
    """Return what was noted of a registry; None where nothing is that can be read."""
    try:
        body: Any = json.loads(data.gaps(registry).read_bytes())
        if body.pop("version") != VERSION:
            return None
        for kind in ("proved", "counted"):
            body[kind] = tuple(Gap(**one) for one in body[kind])
        body["strangers"] = tuple((str(key), int(block)) for key, block in body["strangers"])
        return Gaps(**body)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def note_gaps(data: Dataset, registry: ContractKey, gaps: Gaps) -> None:
    """Replace what is noted of a registry."""
    body = {"version": VERSION, **asdict(gaps)}
    replace_file(data.gaps(registry), (json.dumps(body, indent=1) + "\n").encode())


def places(gaps: Sequence[Gap]) -> str:
    """Return where logs are missing, in words; of at least one gap."""
    shown = [f"in blocks {gap.first} to {gap.last} ({gap.reason})" for gap in gaps[:_SHOWN]]
    if len(gaps) > _SHOWN:
        shown.append(f"and in {len(gaps) - _SHOWN} more places")
    return f"logs are missing {'; '.join(shown)}"


def told(gaps: Sequence[Gap], first_block: int) -> str:
    """Return which logs are missing, and what to run.

    Args:
        gaps: at least one.
        first_block: the first that was read.
    """
    low, high = min(gap.first for gap in gaps), max(gap.last for gap in gaps)
    before = (
        f"; or the registry has events before block {first_block}, where --from-block began"
        if first_block and low <= first_block
        else ""
    )
    return (
        f"{places(gaps)}: a node left them out{before}; read these blocks "
        f"again, best at another node: `tallystick extract --repair {low}:{high}`"
    )
