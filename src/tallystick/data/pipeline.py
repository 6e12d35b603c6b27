"""Extract and decode in one go: a file is decoded while the next ones are fetched."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from tallystick.chain.logs import topics
from tallystick.data.completeness import check_complete
from tallystick.data.decode.files import decode_logs, decode_part, note_parts
from tallystick.data.extract.dataset import ContractKey, Dataset
from tallystick.data.extract.extractor import Extracted, ExtractPlan, extract
from tallystick.data.extract.gas import extract_gas
from tallystick.data.extract.manifest import Part
from tallystick.data.pools.extract import extract_pools
from tallystick.data.resolvers.identify import identify_resolvers
from tallystick.protocol.progress import Progress


def follow(
    data: Dataset, plan: ExtractPlan, progress: Progress | None = None, ask: bool = True
) -> Extracted:
    """Bring a data folder's raw logs and decoded events up to the chain's head, and check them.

    Args:
        data: the data folder.
        plan: what to extract, and how.
        progress: told how many blocks are done.
        ask: see check_complete.

    Raises:
        RpcError, ExtractError, DecodeError: see read_on.
        MissingLogsError: events prove that the nodes left out others; says what to run.
    """
    done = read_on(data, plan, progress)
    check_complete(data, done.contract, plan.urls, ask)
    return done


def read_on(data: Dataset, plan: ExtractPlan, progress: Progress | None = None) -> Extracted:
    """Bring a data folder's raw logs and decoded events up to the chain's head.

    Events that only carry data are not fetched, whatever topics the plan names.

    Args:
        data: the data folder.
        plan: what to extract, and how.
        progress: told how many blocks are done.

    Raises:
        RpcError: nodes refuse or fail; what was extracted before stays.
        ExtractError: see extract.
        DecodeError: a log is not what its event's ABI says.
    """
    decoded: dict[str, str] = {}
    first = plan.first_block if plan.repair is None else min(plan.first_block, plan.repair[0])

    def on_part(registry: ContractKey, part: Part, logs: pa.Table) -> None:
        decode_part(data, registry, part, logs, first=part.first == first)
        decoded[part.name] = part.sha256

    done = extract(data, replace(plan, topics=topics()), progress, on_part)
    note_parts(data, done.contract, decoded)
    # What an interrupted run left, and files of parts that are gone.
    decode_logs(data, done.contract)
    return done


def bring(
    data: Dataset,
    plan: ExtractPlan,
    gas: bool,
    stage: Callable[[str], Progress] | None = None,
    ask: bool = True,
) -> tuple[Extracted, int]:
    """Follow the chain, and look up what numbers rest on beside events.

    Args:
        data: the data folder.
        plan: what to extract, and how.
        gas: whether receipts are fetched too, for gas per verified inference.
        stage: gives each stage what it tells its progress to, by its name and unit.
        ask: see check_complete.

    Returns:
        What was extracted, and how many resolvers' code was looked up.

    Raises:
        RpcError, ExtractError, DecodeError, MissingLogsError: see follow.
    """
    done = follow(data, plan, stage and stage("extract (blocks)"), ask)
    resolvers = identify_resolvers(data, done.contract, plan.urls)
    added = extract_pools(data, done.contract, plan, stage)
    done = replace(done, added=done.added + added)
    if gas:
        extract_gas(data, done.contract, plan.urls, stage and stage("gas (files)"))
    return done, resolvers
