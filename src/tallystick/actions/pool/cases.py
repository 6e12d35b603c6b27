"""Cases before a pool's panel, and the convictions that follow from them.

Source: contracts/pool/IPool.sol.
"""

from collections.abc import Mapping

from tallystick.actions.audit import named
from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.actions.pool.panels import case_panel, signed_places
from tallystick.actions.pool.view import Move, PoolView
from tallystick.chain.pool import HISTORY_BLOCKS, PoolCase
from tallystick.chain.registry import Registry
from tallystick.protocol.batch import NO_DISPUTE, Dispute
from tallystick.protocol.enums import Cause, DisputeKind, Ruling, State
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.ledger import BatchState
from tallystick.protocol.opening import Opening
from tallystick.protocol.panel import Panel
from tallystick.protocol.pool import FINDERS, PanelVerdict, Record, case_id, pack_signatures
from tallystick.protocol.sampling import draw


def appeal(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    batch_id: bytes,
    opening: Opening,
    by: Record,
) -> Move:
    """Return the call that opens a case on a leaf; the sender's credit pays its panel.

    Args:
        view: the pool.
        chain: the registry as it stands.
        registry: the contract.
        batch_id: 32 bytes.
        opening: of the leaf.
        by: who signed the batch's audit; without keys where it has no record.

    Raises:
        ActionError: the pool would refuse it: see the contract.
    """
    view.need_registry(registry.address)
    record = chain.batch(batch_id)
    rules, index = chain.rules(record), opening.leaf_index
    if rules.arbiter != view.pool.address or rules.asset != view.terms.asset:
        raise ActionError(
            f"the network's arbiter is {checksummed(rules.arbiter)}, in asset "
            f"{checksummed(rules.asset)}; the pool rules only where it is the arbiter, in its asset"
        )
    opening.check(record.batch)
    dispute = challenge_of(record, index)
    challenged = dispute != NO_DISPUTE
    if challenged:
        chain.need_before(dispute.due + 1, "the time to rule on the challenge")
    elif index not in _drawn(view, record, by) and record.state is not State.DISPUTED:
        raise ActionError(
            f"leaf {index} of batch {to_hex(batch_id)} is not challenged, and no audit on record "
            f"drew it; `ape tallystick challenge {to_hex(batch_id)} --leaf {index}` comes first"
        )
    key = case_id(batch_id, index, dispute)
    if view.pool.case(key) is not None:
        raise ActionError(f"case {to_hex(key)} is open already")
    view.need_drawn_from(view.epoch)
    view.need_credit(view.terms.case_fee, "the fee of a case")
    call = view.pool.call("appeal", record.pre_image.abi(), opening.abi(), by.abi())
    facts = {
        "case_id": key,
        "batch_id": batch_id,
        "leaf_index": index,
        "challenged": challenged,
        "fee": view.terms.case_fee,
        "holds_stake_of": list(by.keys),
    }
    return Move(call, facts)


def open_case(view: PoolView, record: BatchState, leaf_index: int) -> PoolCase:
    """Return the case on a leaf that can be ruled in; ActionError where none is open."""
    for key in _case_ids(record, leaf_index):
        case = view.pool.case(key)
        if case is not None:
            return case
    raise ActionError(
        f"no case is open on leaf {leaf_index} of batch {to_hex(record.id)}; "
        "`ape tallystick pool appeal` opens one"
    )


def verdict(
    view: PoolView, data: BatchData, leaf_index: int, recomputed: Mapping[int, bytes]
) -> tuple[PanelVerdict, Panel]:
    """Return the ruling on the leaf of an open case, and the panel that rules.

    Args:
        view: the pool.
        data: the batch's, found to hash to its root.
        leaf_index: of the leaf.
        recomputed: output hash by leaf, from a run of one's own.

    Raises:
        ActionError: no case is open on the leaf, or it was not recomputed.
        PoolError: it is too early for the case's panel, or too late.
    """
    if not 0 <= leaf_index < len(data.records):
        raise ActionError(f"leaf index is {leaf_index}; needed: 0 to {len(data.records) - 1}")
    panel = case_panel(view, open_case(view, data.record, leaf_index))
    if leaf_index not in recomputed:
        raise ActionError(f"no output was recomputed for leaf {leaf_index}, the case's")
    right = recomputed[leaf_index] == data.records[leaf_index].output_hash
    ruling = Ruling.UPHELD if right else Ruling.REJECTED
    return PanelVerdict(panel.id, panel.seed, ruling), panel


def ruled(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    batch_id: bytes,
    opening: Opening,
    said: PanelVerdict,
    signatures: Mapping[bytes, bytes],
    by: Record,
) -> Move:
    """Return the call that closes a case by its panel's ruling, with all that follows from it.

    Args:
        view: the pool.
        chain: the registry as it stands.
        registry: the contract.
        batch_id: 32 bytes.
        opening: of the leaf.
        said: what was signed.
        signatures: by key.
        by: who signed the batch's audit; without keys where it has no record.

    Raises:
        ActionError: the pool would refuse it: see the contract.
        PoolError: the chain does not know the seed's hash.
    """
    view.need_registry(registry.address)
    record, index = chain.batch(batch_id), opening.leaf_index
    opening.check(record.batch)
    case = open_case(view, record, index)
    if case.id != said.case_id:
        raise ActionError(
            f"the statement is of case {to_hex(said.case_id)}; open on leaf {index} is "
            f"{to_hex(case.id)}"
        )
    panel = case_panel(view, case)
    if panel.seed != said.seed:
        raise ActionError(
            f"the statement is of seed {to_hex(said.seed)}; the chain's is {to_hex(panel.seed)}: "
            "it was signed on another fork, or of an earlier case"
        )
    signed = signed_places(view, panel, signatures, said.ruling, by.keys)
    _need_known(view, chain, registry, record, index, said.ruling, case)
    count, terms = panel.count(signed), view.terms
    burns = said.ruling is Ruling.REJECTED and index in _drawn(view, record, by)
    convicted = staked(view, by) if burns else {}
    call = view.pool.call(
        "ruled",
        record.pre_image.abi(),
        opening.abi(),
        int(said.ruling),
        pack_signatures(signed),
        by.abi(),
    )
    facts = {
        "case_id": case.id,
        "batch_id": batch_id,
        "leaf_index": index,
        "ruling": said.ruling.name.lower(),
        "keys": [panel.entries[entry].key for entry in signed],
        "places": count,
        "needed": panel.needed(said.ruling),
        "fee": terms.rule_fee,
        "payer": case.payer,
        "back_to_payer": terms.rule_fee * (terms.quorums.judges - count),
        **_burned(convicted),
    }
    return Move(call, facts)


def expire(view: PoolView, key: bytes) -> Move:
    """Return the call that ends a case, 32 bytes, on which nobody can rule any more."""
    case = view.pool.case(key)
    if case is None:
        raise ActionError(f"no case {to_hex(key)} is open")
    head = view.pool.w3.eth.block_number
    if head + 1 - case.seed_block <= HISTORY_BLOCKS:
        raise ActionError(
            f"too early: block {case.seed_block} seeds the case, and its hash can be had until "
            f"block {case.seed_block + HISTORY_BLOCKS}; the latest is {head}"
        )
    facts = {"case_id": key, "payer": case.payer, "fee": view.terms.case_fee}
    return Move(view.pool.call("expire", key), facts)


def convict(
    view: PoolView, chain: ChainView, registry: Registry, batch_id: bytes, by: Record
) -> Move:
    """Return the call that burns the stake of who signed the audit of a rejected batch.

    Args:
        view: the pool.
        chain: the registry as it stands.
        registry: the contract.
        batch_id: 32 bytes.
        by: who signed its audit.

    Raises:
        ActionError: the batch has no record, was not rejected for what an auditor could see, or no
            signer has stake.
    """
    view.need_registry(registry.address)
    record = chain.batch(batch_id)
    if not by.keys:
        raise ActionError(f"batch {to_hex(batch_id)} has no audit on record in this pool")
    archived = registry.archived(batch_id)
    if archived.cause in (Cause.RULING, Cause.DISPROOF):
        drawn = _drawn(view, record, by)
        if archived.leaf_index not in drawn:
            raise ActionError(
                f"leaf {archived.leaf_index}, which convicted the batch, was not drawn; drawn were "
                f"{named(sorted(drawn))}"
            )
    elif archived.cause not in (Cause.ORDER, Cause.DEADLINE):
        raise ActionError(
            f"the batch is {record.state.name.lower()}; needed: rejected"
            if archived.cause is Cause.NONE
            else f"the batch was rejected by a {archived.cause.name.lower()}, which convicts nobody"
        )
    convicted = staked(view, by)
    if not convicted:
        raise ActionError("no signer of the audit has stake left")
    call = view.pool.call("convict", record.batch.abi(), by.abi())
    return Move(call, {"batch_id": batch_id, "finder": view.sender, **_burned(convicted)})


def staked(view: PoolView, by: Record) -> dict[bytes, int]:
    """Return the stake of each signer of an audit that has any, in units of the asset."""
    price = view.terms.seat_stake
    return {one.key: one.seats * price for one in view.pool.members(list(by.keys)) if one.seats}


def challenge_of(record: BatchState, leaf_index: int) -> Dispute:
    """Return a batch's challenge of a leaf; none where it has no such challenge."""
    dispute = record.dispute
    if dispute is None or dispute.kind is not DisputeKind.CHALLENGE:
        return NO_DISPUTE
    return dispute if dispute.leaf_index == leaf_index else NO_DISPUTE


def _case_ids(record: BatchState, leaf_index: int) -> list[bytes]:
    """Return the ids of a case on a leaf, in the order in which the contract looks for them."""
    dispute = challenge_of(record, leaf_index)
    either = [dispute] if dispute == NO_DISPUTE else [dispute, NO_DISPUTE]
    return [case_id(record.id, leaf_index, one) for one in either]


def _drawn(view: PoolView, record: BatchState, by: Record) -> set[int]:
    """Return the leaves that the audit on record drew."""
    if not by.keys:
        return set()
    return set(draw(by.seed, record.id, view.terms.min_drawn, record.batch.count))


def _need_known(
    view: PoolView,
    chain: ChainView,
    registry: Registry,
    record: BatchState,
    leaf_index: int,
    ruling: Ruling,
    case: PoolCase,
) -> None:
    """Raise ActionError where only the payer may say that another batch has taken the slot."""
    dispute = challenge_of(record, leaf_index)
    stands = dispute != NO_DISPUTE and chain.now <= dispute.due
    if stands or ruling is Ruling.UPHELD or view.sender == case.payer:
        return
    if registry.state_of(record.pre_image) is State.UNKNOWN:
        raise ActionError(
            f"another batch has taken the slot of batch {to_hex(record.id)}: only who paid the "
            f"case, {checksummed(case.payer)}, can have it rejected"
        )


def _burned(convicted: Mapping[bytes, int]) -> dict[str, object]:
    shares = sum(stake // FINDERS for stake in convicted.values())
    return {
        "convicts": list(convicted),
        "burned": sum(convicted.values()) - shares,
        "finders_share": shares,
    }
