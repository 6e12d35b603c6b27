"""Texts of specs, by their hash: what audits under them say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.spec_kinds import SpecKind, kind_of

UNKNOWN = "not known"
"""In place of a kind, where nobody has the spec's text."""
_LARGEST = 1 << 16
_TERMS = ("m1 ", "m2 ", "x1 ", "x2 ", "output ")
_ORDER = (SpecKind.EXACT, SpecKind.TOLERANCE, SpecKind.OWN, UNKNOWN)


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A spec whose text is at hand."""

    kind: SpecKind
    terms: tuple[str, ...]
    """Lines with the thresholds of a tolerance."""

    @classmethod
    def of(cls, text: bytes) -> "KnownSpec":
        """Read a text; it need not be a valid one.

        >>> KnownSpec.of(b"tallystick LLM-1\\nkind tolerance\\nx1 1500\\n")
        KnownSpec(kind=<SpecKind.TOLERANCE: 'tolerance'>, terms=('x1 1500',))
        """
        kind = kind_of(text)
        lines = text.decode(errors="replace").split("\n") if kind is SpecKind.TOLERANCE else []
        return cls(kind, tuple(line for line in lines if line.startswith(_TERMS)))


def known_specs(folder: Path | None = None) -> dict[str, KnownSpec]:
    """Return specs by their hash, as hex text: QI8-1, and the texts of a folder.

    Args:
        folder: of files that hold a spec's text each; others do no harm. None: there are none.

    Raises:
        OSError: a file cannot be read.
    """
    texts = [b"QI8-1", b"QI8-1T"]
    if folder is not None:
        texts += [
            path.read_bytes()
            for path in sorted(folder.iterdir())
            if path.is_file() and path.stat().st_size <= _LARGEST
        ]
    return {to_hex(keccak256(text)): KnownSpec.of(text) for text in texts}


def audited_by_spec(
    models: Iterable[Mapping[str, Any]], specs: Mapping[str, KnownSpec]
) -> list[dict[str, Any]]:
    """Return what was audited under each spec, the exact ones first.

    Equal bytes say more than a tolerance, and one tolerance other things than another: so these are
    not added up.

    Args:
        models: rows with spec_hash (hex text) and the counters committed and audited.
        specs: as known_specs gives them.
    """
    found: dict[str, dict[str, Any]] = {}
    for model in models:
        spec = specs.get(model["spec_hash"])
        row = found.setdefault(
            model["spec_hash"],
            {
                "spec_hash": model["spec_hash"],
                "kind": spec.kind.value if spec else UNKNOWN,
                "terms": list(spec.terms) if spec else [],
                "models": 0,
                "committed": 0,
                "audited": 0,
            },
        )
        row["models"] += 1
        for name in ("committed", "audited"):
            row[name] += model[name]
    return sorted(found.values(), key=lambda row: (_ORDER.index(row["kind"]), row["spec_hash"]))
