"""Audits by a pool's panel: what a member signs, and the call that stores what enough have signed.

Source: contracts/pool/IPool.sol.
"""

from collections.abc import Mapping

from tallystick.actions.audit import Draw, need_good
from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import BEFORE_FINAL, ActionError, ChainView
from tallystick.actions.pool.panels import audit_panel, signed_places
from tallystick.actions.pool.view import Move, PoolView
from tallystick.chain.registry import Registry
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.enums import Grade, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.pool import PanelAudit, pack_signatures
from tallystick.protocol.sampling import draw


def draw_of(view: PoolView, record: BatchState) -> Draw:
    """Return a batch's draw; PoolError while its seed is to come, or when that is gone.

    Args:
        view: the pool.
        record: of the batch.
    """
    seed = view.pool.seed(record.stamp.committed_block + view.terms.seed_delay)
    return Draw(seed, sorted(set(draw(seed, record.id, view.terms.min_drawn, record.batch.count))))


def need_audited(view: PoolView, chain: ChainView, record: BatchState) -> None:
    """Raise ActionError unless the pool audits batches of this network and model."""
    terms, rules, pool = view.terms, chain.rules(record), view.pool.address
    spec = chain.ledger.models[record.batch.model_id].spec_hash
    if spec != terms.spec:
        raise ActionError(
            f"the model's spec is {to_hex(spec)}; the pool audits models of {to_hex(terms.spec)}"
        )
    if rules.asset != terms.asset:
        raise ActionError(
            f"the network's asset is {checksummed(rules.asset)}; the pool's is "
            f"{checksummed(terms.asset)}"
        )
    if rules.attestors[0] != pool or pool in rules.attestors[1:]:
        raise ActionError(
            f"the network's auditor is {checksummed(rules.attestors[0])}; needed: the pool, "
            f"{checksummed(pool)}, and for no other grade"
        )
    if rules.arbiter != pool and (rules.arbiter != terms.replay or terms.replay == ZERO_ADDRESS):
        raise ActionError(
            f"the network's arbiter is {checksummed(rules.arbiter)}; the pool audits only where it "
            "rules itself, or the arbiter that its terms name"
        )
    if terms.exit_delay < rules.life:
        raise ActionError(
            f"the pool's exit delay is {terms.exit_delay} s; needed: at least {rules.life} s, as "
            "long as a batch of the network can last"
        )


def statement(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    data: BatchData,
    recomputed: Mapping[int, bytes],
) -> PanelAudit:
    """Return the statement that a batch is good.

    Args:
        view: the pool.
        chain: the registry as it stands.
        registry: the contract.
        data: the batch's, found to hash to its root.
        recomputed: output hash by leaf, from a run of one's own.

    Raises:
        ActionError: the pool does not audit it, a rule is broken, a drawn leaf was not recomputed,
            or one that was is wrong.
        PoolError: it is too early for the draw, or too late.
    """
    need_audited(view, chain, data.record)
    _need_unrecorded(view, data.record.id)
    found = draw_of(view, data.record)
    need_good(chain, registry, data, found, recomputed)
    return PanelAudit(data.record.id, found.seed)


def audit(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    said: PanelAudit,
    signatures: Mapping[bytes, bytes],
) -> Move:
    """Return the call that stores an audit, pays its places, and raises the batch's grade.

    Args:
        view: the pool.
        chain: the registry as it stands.
        registry: the contract.
        said: what was signed.
        signatures: by key.

    Raises:
        ActionError: the pool would refuse it: see the contract.
        PoolError: the chain does not know the seed's hash.
    """
    view.need_registry(registry.address)
    record = chain.batch(said.batch_id)
    need_audited(view, chain, record)
    _need_unrecorded(view, record.id)
    chain.need_state(record, *BEFORE_FINAL)
    if record.state is State.OPEN:
        chain.need_before(record.stamp.closes_at, "the challenge window")
        if record.grade >= Grade.AUDITED:
            raise ActionError(f"the grade is {record.grade.name.lower()} already; it can only rise")
    panel = audit_panel(view, record)
    if panel.seed != said.seed:
        raise ActionError(
            f"the statement is of seed {to_hex(said.seed)}; the chain's is {to_hex(panel.seed)}: "
            "it was signed on another fork"
        )
    signed = signed_places(view, panel, signatures)
    count, fee = panel.count(signed), view.terms.audit_fee(record.batch.count)
    escrow, cost = view.pool.escrow(record.batch.operator).balance, fee * (count + 1)
    if escrow < cost:
        raise ActionError(
            f"the escrow of operator {checksummed(record.batch.operator)} is {escrow}; the audit "
            f"costs {cost}"
        )
    model = chain.ledger.models[record.batch.model_id]
    named = model.registrant, model.content_hash, model.parent
    call = view.pool.call("audit", record.pre_image.abi(), named, pack_signatures(signed))
    facts = {
        "batch_id": record.id,
        "keys": [panel.entries[entry].key for entry in signed],
        "places": count,
        "needed": view.terms.quorums.audit,
        "fee": fee,
        "from_escrow": cost,
        # While it is disputed, no grade can be had; `attest` raises it later.
        "raises_grade": record.state is State.OPEN,
    }
    return Move(call, facts)


def _need_unrecorded(view: PoolView, batch_id: bytes) -> None:
    if view.pool.record(batch_id) is not None:
        raise ActionError(f"batch {to_hex(batch_id)} has an audit on record already")
