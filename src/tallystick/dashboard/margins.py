"""Margins that verifiers noted, summed up: words of whoever wrote the files, not of the chain."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tallystick.protocol.hexes import to_hex
from tallystick.protocol.verdicts import Verdict
from tallystick.storage.margins_file import MarginNote, read_margins


class MarginFiles:
    """Margins files, read anew when one has changed.

    Args:
        paths: of the files; one that is not there yet has no notes.
    """

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self._paths = tuple(paths)
        self._read: dict[Path, tuple[int, list[MarginNote]]] = {}

    @property
    def version(self) -> tuple[int, ...]:
        """Sizes of the files, by which one state is told from another."""
        return tuple(path.stat().st_size if path.is_file() else 0 for path in self._paths)

    def rows(self, models: Collection[str]) -> list[dict[str, Any]]:
        """Return a row for each file, operator, model and class of kernels.

        M is of all tokens together; answers whose form is wrong have none, and count as wrong.

        Args:
            models: ids as hex text; notes of others are left out.

        Raises:
            MarginsFileError: a line of a file is no note.
        """
        groups: dict[tuple[str, bytes, bytes, str], list[MarginNote]] = {}
        for path in self._paths:
            for note in self._notes(path):
                if to_hex(note.model_id) in models:
                    key = (path.as_posix(), note.operator, note.model_id, note.kernel)
                    groups.setdefault(key, []).append(note)
        return [_summed(*key, notes) for key, notes in sorted(groups.items())]

    def drift(self, models: Collection[str], day_of: Mapping[str, date]) -> list[dict[str, Any]]:
        """Return how far off answers were from one day to the next: a row for each day that `rows`
        would have one of, the oldest first.

        Args:
            models: as for rows.
            day_of: the days (UTC) on which batches were committed, by id (hex text); notes of
                others are left out.

        Raises:
            MarginsFileError: a line of a file is no note.
        """
        groups: dict[tuple[date, str, bytes, bytes, str], list[MarginNote]] = {}
        for path in self._paths:
            for note in self._notes(path):
                day = day_of.get(to_hex(note.batch_id))
                if day is not None and to_hex(note.model_id) in models:
                    key = (day, path.as_posix(), note.operator, note.model_id, note.kernel)
                    groups.setdefault(key, []).append(note)
        return [{"day": key[0]} | _summed(*key[1:], notes) for key, notes in sorted(groups.items())]

    def batches(self) -> set[str]:
        """Return the ids (hex text) of the batches that notes name.

        Raises:
            MarginsFileError: a line of a file is no note.
        """
        return {to_hex(note.batch_id) for path in self._paths for note in self._notes(path)}

    def _notes(self, path: Path) -> list[MarginNote]:
        if not path.is_file():
            return []
        size = path.stat().st_size
        known = self._read.get(path)
        if known is None or known[0] != size:
            known = self._read[path] = size, list(read_margins(path))
        return known[1]


def _summed(
    file: str, operator: bytes, model_id: bytes, kernel: str, notes: list[MarginNote]
) -> dict[str, Any]:
    tokens = sum(one.tokens for one in notes)
    verdicts = [one.verdict for one in notes]
    return {
        "author": file,
        "operator": to_hex(operator),
        "model_id": to_hex(model_id),
        "kernel": kernel,
        "answers": len(notes),
        "doubtful": verdicts.count(Verdict.DOUBTFUL),
        "wrong": verdicts.count(Verdict.WRONG),
        "tokens": tokens,
        "mismatches": sum(one.mismatches for one in notes),
        "mean": sum(one.mean * one.tokens for one in notes) / tokens if tokens else None,
        "largest": max((one.largest for one in notes), default=0.0),
    }
