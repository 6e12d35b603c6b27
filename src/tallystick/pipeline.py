"""Extract and decode in one go: a file is decoded while the next ones are fetched."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from tallystick.chain.logs import topics
from tallystick.decode.files import decode_core, decode_part, note_parts
from tallystick.extract.dataset import Core, Dataset
from tallystick.extract.extractor import Extracted, Plan, extract
from tallystick.extract.gas import extract_gas
from tallystick.extract.manifest import Part
from tallystick.progress import Progress
from tallystick.resolvers.identify import identify_resolvers


def follow(data: Dataset, plan: Plan, progress: Progress | None = None) -> Extracted:
    """Bring a data folder's raw logs and decoded events up to the chain's head.

    Events that only carry data are not fetched, whatever topics the plan names.

    Raises:
        ExtractError: nodes refuse or fail; what was extracted before stays.
        DecodeError: a log is not what its event's ABI says.
    """
    decoded: dict[str, str] = {}

    def on_part(core: Core, part: Part, logs: pa.Table) -> None:
        decode_part(data, core, part, logs, first=part.first == plan.first_block)
        decoded[part.name] = part.sha256

    done = extract(data, replace(plan, topics=topics()), progress, on_part)
    note_parts(data, done.core, decoded)
    # What an interrupted run left, and files of parts that are gone.
    decode_core(data, done.core)
    return done


def bring(
    data: Dataset, plan: Plan, gas: bool, stage: Callable[[str], Progress] | None = None
) -> tuple[Extracted, int]:
    """Follow the chain, and look up what numbers rest on beside events.

    Args:
        data: the data folder.
        plan: what to extract, and how.
        gas: whether receipts are fetched too, for gas per verified inference.
        stage: gives each stage what it tells its progress to, by its name and unit.

    Returns:
        What was extracted, and how many resolvers' code was looked up.

    Raises:
        ExtractError: nodes refuse or fail; what was extracted before stays.
        DecodeError: a log is not what its event's ABI says.
    """
    done = follow(data, plan, stage and stage("extract (blocks)"))
    resolvers = identify_resolvers(data, done.core, plan.urls)
    if gas:
        extract_gas(data, done.core, plan.urls, stage and stage("gas (files)"))
    return done, resolvers
