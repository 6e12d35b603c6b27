"""Extract and decode in one go: a file is decoded while the next ones are fetched."""

import pyarrow as pa

from tallystick.decode.files import decode_core, decode_part, note_parts
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.extractor import Extracted, Plan, extract
from tallystick.extract.manifest import Part
from tallystick.progress import Progress


def follow(data: Dataset, plan: Plan, progress: Progress | None = None) -> Extracted:
    """Bring a data folder's raw logs and decoded events up to the chain's head.

    Raises:
        ExtractError: nodes refuse or fail; what was extracted before stays.
        DecodeError: the address is another contract's than a core's.
    """
    decoded: dict[str, str] = {}

    def on_part(core: Core, part: Part, logs: pa.Table) -> None:
        decode_part(data, core, part, logs, first=part.first == plan.first_block)
        decoded[part.name] = part.sha256

    done = extract(data, plan, progress, on_part)
    note_parts(data, done.core, decoded)
    # What an interrupted run left, and files of parts that are gone.
    decode_core(data, done.core)
    return done
