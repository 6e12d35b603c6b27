"""Coverage of totals: which contracts' events, up to which block."""

from dataclasses import dataclass

from tallystick.data.decode.files import is_decoded
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.gaps import read_gaps, told
from tallystick.errors import TallystickError


class CoverageError(TallystickError, RuntimeError):
    """A data folder holds less than it seems to."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The events of one registry that a data folder holds."""

    contract: ContractKey
    first_block: int
    last_block: int
    boundary: str
    """Hash of the last block."""
    rows: int
    """Events in all."""


def coverage(data: Dataset) -> list[Coverage]:
    """Return what a data folder holds, a row a registry.

    Raises:
        CoverageError: nothing was extracted, a run was interrupted before its end, or events prove
            that others are missing.
    """
    found = [_of(data, registry) for registry in data.registries()]
    if not found:
        raise CoverageError(f"{data.root} holds no events; run `tallystick extract`")
    return found


def _of(data: Dataset, registry: ContractKey) -> Coverage:
    manifest = data.read_manifest(registry)
    if not manifest.parts or manifest.last_block != manifest.parts[-1].last:
        raise CoverageError(
            f"the logs of {registry.folder} have gaps: a run was interrupted; "
            "run `tallystick extract` again"
        )
    if not is_decoded(data, registry):
        needed = "opengradient audit" if data.imported(registry).exists() else "extract"
        raise CoverageError(
            f"the logs of {registry.folder} are not decoded; run `tallystick {needed}`"
        )
    if (known := read_gaps(data, registry)) and known.found:
        raise CoverageError(told(known.found, manifest.first_block))
    last = manifest.parts[-1]
    return Coverage(registry, manifest.first_block, last.last, last.boundary, manifest.rows)
