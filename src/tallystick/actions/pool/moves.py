"""Commands of a pool that may change what is known of a batch now."""

from collections.abc import Callable

from tallystick.actions.chain_view import BEFORE_FINAL, ActionError, ChainView
from tallystick.actions.pool.audits import need_audited
from tallystick.actions.pool.cases import convict
from tallystick.actions.pool.view import PoolView
from tallystick.chain.pool import HISTORY_BLOCKS, Standing
from tallystick.chain.pool_events import find_cases, find_record
from tallystick.chain.registry import Registry
from tallystick.errors import PoolError
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.pool import Record, epoch_of


def pool_moves(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    record: BatchState,
    burned: Callable[[], int],
) -> list[str]:
    """Return the names of the commands; empty: there is nothing to do in the pool.

    Whether enough places sign, or whether who appeals has the fee, is not looked at.

    Args:
        view: the pool, which the batch's network names as its auditor or its arbiter.
        chain: the registry as it stands.
        registry: the contract, whose batches the pool audits.
        record: the batch.
        burned: reads the stake that was burned and not swept, in units of the pool's asset; asked
            only where signers of the batch were convicted.
    """
    first_block = record.committed.block_number
    by = find_record(view.pool, record.id, first_block)
    seeds = [one.case.seed_block for one in find_cases(view.pool, record.id, first_block)]
    latest = view.pool.w3.eth.block_number
    gone = [number + HISTORY_BLOCKS < latest for number in seeds]
    possible = {
        "pool audit": not by.keys and _can(lambda: _need_auditable(view, chain, record)),
        "pool appeal": _may_appeal(view, chain, record, by),
        "pool ruled": any(
            number < latest and not over for number, over in zip(seeds, gone, strict=True)
        ),
        "pool expire": any(gone),
        "pool convict": _can(lambda: convict(view, chain, registry, record.id, by)),
        "pool sweep": _is_convicted(view, by) and burned() > 0,
    }
    return [name for name, can in possible.items() if can]


def _need_auditable(view: PoolView, chain: ChainView, record: BatchState) -> None:
    need_audited(view, chain, record)
    chain.need_state(record, *BEFORE_FINAL)
    if record.state is State.OPEN:
        chain.need_before(record.stamp.closes_at, "the challenge window")
        if record.grade >= Grade.AUDITED:
            raise ActionError(f"the grade is {record.grade.name.lower()} already")
    view.need_drawn_from(epoch_of(record.stamp.committed_at))
    view.pool.seed(record.stamp.committed_block + view.terms.seed_delay)


def _is_convicted(view: PoolView, by: Record) -> bool:
    members = view.pool.members(list(by.keys)) if by.keys else []
    return any(one.standing is Standing.CONVICTED for one in members)


def _may_appeal(view: PoolView, chain: ChainView, record: BatchState, by: Record) -> bool:
    rules = chain.rules(record)
    if rules.arbiter != view.pool.address or rules.asset != view.terms.asset:
        return False
    judged = bool(by.keys) or record.state is State.DISPUTED
    return judged and _can(lambda: view.need_drawn_from(view.epoch))


def _can(needed: Callable[[], object]) -> bool:
    """Return whether nothing stands in the way."""
    try:
        needed()
    except (ActionError, PoolError):
        return False
    return True
