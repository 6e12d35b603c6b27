"""Manifest of one contract's logs in a data folder: files, covered blocks, hashes."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tallystick.data.extract.errors import ManifestError
from tallystick.protocol.format_version import unknown_version
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.storage.durable import replace_file

VERSION = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One file of logs."""

    first: int
    """First block."""
    last: int
    """Last block, included."""
    parent: str
    """Hash of the block before the first: of genesis zero."""
    boundary: str
    """Hash of the last block."""
    rows: int
    sha256: str
    """SHA-256 of the file."""

    @property
    def name(self) -> str:
        """The file's; as text they ascend with their blocks."""
        return f"{self.first:012d}-{self.last:012d}.parquet"


@dataclass
class LogManifest:
    """The parts of one contract's logs, ascending; an interrupted run may leave gaps."""

    chain_id: int
    address: bytes
    first_block: int
    """From where the contract's logs are read."""
    block_range: int
    """Blocks of a full part; parts begin at its multiples."""
    parts: list[Part] = field(default_factory=list)

    @property
    def last_block(self) -> int:
        """Up to where nothing is missing; first_block - 1 when the first part is not here."""
        last = self.first_block - 1
        for part in self.parts:
            if part.first != last + 1:
                break
            last = part.last
        return last

    @property
    def rows(self) -> int:
        """Logs in all."""
        return sum(part.rows for part in self.parts)

    def linked(self) -> list[list[Part]]:
        """Return the parts in runs without gaps, each of a single history of the chain."""
        runs: list[list[Part]] = []
        for part in self.parts:
            before = runs[-1][-1] if runs else None
            if before and (before.last + 1, before.boundary) == (part.first, part.parent):
                runs[-1].append(part)
            else:
                runs.append([part])
        return runs

    def put(self, part: Part) -> None:
        """Add a part, in place of one with the same first block."""
        rest = [one for one in self.parts if one.first != part.first]
        self.parts = sorted([*rest, part], key=lambda one: one.first)

    @classmethod
    def read(cls, path: Path) -> "LogManifest | None":
        """Return a file's; None when there is none; ManifestError when it is something else."""
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            if wrong := unknown_version("manifest", found.pop("version", None), VERSION):
                raise ManifestError(f"{path}: {wrong}")
            parts = [Part(**part) for part in found.pop("parts")]
            return cls(address=from_hex(found.pop("address"), 20, "address"), parts=parts, **found)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ManifestError(f"{path} is no manifest: {error}") from error

    def write(self, path: Path) -> None:
        """Replace a file at once: a crash leaves the old one or the new one."""
        body = {"version": VERSION, **asdict(self), "address": to_hex(self.address)}
        replace_file(path, (json.dumps(body, indent=1) + "\n").encode())
