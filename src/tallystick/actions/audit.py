"""An audit by a committee's member: what is drawn, and whether all of it is good."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.actions.batch_data import BatchData
from tallystick.actions.chain_view import ActionError, ChainView
from tallystick.chain.committee import Committee, CommitteeTerms
from tallystick.chain.registry import Registry
from tallystick.protocol.abi_words import ZERO_ADDRESS
from tallystick.protocol.committee import Audit, Verdict
from tallystick.protocol.enums import DisputeKind, Ruling
from tallystick.protocol.faults import find_faults
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.rules import Rules
from tallystick.protocol.sampling import draw


@dataclass(frozen=True, slots=True)
class Draw:
    """The leaves that an audit of a batch has to re-execute."""

    seed: bytes
    indices: list[int]
    """Ascending, each once."""


def draw_of(committee: Committee, terms: CommitteeTerms, data: BatchData) -> Draw:
    """Return a batch's draw; ActionError while the block that seeds it is to come.

    Args:
        committee: the committee.
        terms: the committee's.
        data: the batch's.
    """
    batch, number = data.record.batch, data.record.stamp.committed_block + terms.seed_delay
    head = committee.w3.eth.block_number
    if head <= number:
        raise ActionError(f"too early: block {number} seeds the draw; the latest is {head}")
    seed = bytes(committee.w3.eth.get_block(number)["hash"])
    return Draw(seed, sorted(set(draw(seed, data.record.id, terms.min_drawn, batch.count))))


def audit(
    view: ChainView,
    registry: Registry,
    terms: CommitteeTerms,
    data: BatchData,
    found: Draw,
    recomputed: Mapping[int, bytes],
) -> Audit:
    """Return the statement that a batch is good.

    Args:
        view: the chain.
        registry: the contract.
        terms: the committee's.
        data: the batch's, found to hash to its root.
        found: its draw.
        recomputed: output hash by leaf, from a run of one's own.

    Raises:
        ActionError: the network has another arbiter than the committee's, a rule is broken, a drawn
            leaf was not recomputed, or one that was recomputed, drawn or not, is wrong.
    """
    need_arbiter(terms, view.rules(data.record))
    need_good(view, registry, data, found, recomputed)
    return Audit(data.record.id, data.record.stamp.committed_at, found.seed)


def need_good(
    view: ChainView,
    registry: Registry,
    data: BatchData,
    found: Draw,
    recomputed: Mapping[int, bytes],
) -> None:
    """Raise ActionError unless no rule is broken, and all drawn leaves were recomputed and right.

    Args:
        view, registry, data, found, recomputed: see audit.
    """
    record, rules = data.record, view.rules(data.record)
    fault = next(
        find_faults(record.batch, record.stamp, data.records, rules, registry.domain), None
    )
    if fault is not None:
        raise ActionError(
            f"leaf {fault.leaf_index} breaks a rule, {fault.rule}: {fault.reason}; "
            "nothing was signed"
        )
    missing = [index for index in found.indices if index not in recomputed]
    if missing:
        raise ActionError(f"no output was recomputed for drawn leaves {named(missing)}")
    if beyond := sorted(i for i in recomputed if i >= record.batch.count):
        raise ActionError(
            f"outputs were recomputed for leaves {named(beyond)}, but the batch has "
            f"{record.batch.count}: another batch's?"
        )
    wrong = sorted(i for i, output in recomputed.items() if output != data.records[i].output_hash)
    if wrong:
        drawn = [i for i in wrong if i in found.indices]
        # Who signs says that the batch is good; one's own run says that it is not.
        which = f"drawn leaves {named(drawn)}" if drawn else f"leaves {named(wrong)}, not drawn"
        raise ActionError(
            f"wrong outputs at {which}; nothing was signed{_remedy(rules, record.id, wrong[0])}"
        )


def _remedy(rules: Rules, batch_id: bytes, leaf: int) -> str:
    if rules.arbiter == ZERO_ADDRESS:
        return ", and the network has no arbiter who could reject it"
    return f"; `ape tallystick challenge {to_hex(batch_id)} --leaf {leaf}` has it ruled on"


def need_arbiter(terms: CommitteeTerms, rules: Rules) -> None:
    """Raise ActionError unless a committee audits and convicts under these rules."""
    if rules.arbiter != terms.arbiter:
        raise ActionError(
            f"the network's arbiter is {checksummed(rules.arbiter)}; the committee audits only "
            f"networks of {checksummed(terms.arbiter)}"
        )


def verdict(view: ChainView, data: BatchData, recomputed: Mapping[int, bytes]) -> Verdict:
    """Return the ruling on a challenged leaf; ActionError unless it was recomputed."""
    record = data.record
    view.need_dispute(record, DisputeKind.CHALLENGE)
    assert record.dispute is not None
    index = record.dispute.leaf_index
    if index not in recomputed:
        raise ActionError(f"no output was recomputed for leaf {index}, the challenged one")
    right = recomputed[index] == data.records[index].output_hash
    ruling = Ruling.UPHELD if right else Ruling.REJECTED
    return Verdict(record.id, index, data.tree.leaf(index), ruling)


def named(indices: list[int]) -> str:
    """Return the first few of some leaves' indices, as a message tells them."""
    few = ", ".join(str(index) for index in indices[:5])
    return few if len(indices) <= 5 else f"{few} and {len(indices) - 5} more"
