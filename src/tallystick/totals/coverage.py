"""What totals rest on: which contracts' events, up to which block."""

from dataclasses import dataclass

from tallystick.decode.files import is_decoded
from tallystick.errors import TallystickError
from tallystick.extract.dataset import Core, Dataset


class CoverageError(TallystickError, RuntimeError):
    """A data folder holds less than it seems to."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The events of one core that a data folder holds."""

    core: Core
    first_block: int
    last_block: int
    boundary: str
    """Hash of the last block."""
    rows: int
    """Events in all."""


def coverage(data: Dataset) -> list[Coverage]:
    """Return what a data folder holds, a row a core.

    Raises:
        CoverageError: nothing was extracted, or a run was interrupted before its end.
    """
    found = [_of(data, core) for core in data.cores()]
    if not found:
        raise CoverageError(f"{data.root} holds no events; run `tallystick extract`")
    return found


def _of(data: Dataset, core: Core) -> Coverage:
    manifest = data.read_manifest(core)
    if not manifest.parts or manifest.last_block != manifest.parts[-1].last:
        raise CoverageError(
            f"the logs of {core.folder} have gaps: a run was interrupted; "
            "run `tallystick extract` again"
        )
    if not is_decoded(data, core):
        needed = "opengradient audit" if data.imported(core).exists() else "extract"
        raise CoverageError(f"the logs of {core.folder} are not decoded; run `tallystick {needed}`")
    last = manifest.parts[-1]
    return Coverage(core, manifest.first_block, last.last, last.boundary, manifest.rows)
