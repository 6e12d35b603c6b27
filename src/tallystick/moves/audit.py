"""An audit by a committee's member: what is drawn, and whether all of it is good."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.chain.panel import Panel, Terms
from tallystick.chain.registry import Registry
from tallystick.committee import Audit, Verdict
from tallystick.draw import draw
from tallystick.enums import DisputeKind, Ruling
from tallystick.examine import first_flaw
from tallystick.hexes import checksummed
from tallystick.moves.board import Board, MoveError
from tallystick.moves.data import BatchData
from tallystick.network import Rules


@dataclass(frozen=True, slots=True)
class Draw:
    """The leaves that an audit of a batch has to re-execute."""

    seed: bytes
    indices: list[int]
    """Ascending, each once."""


def draw_of(panel: Panel, terms: Terms, data: BatchData) -> Draw:
    """Return a batch's draw; MoveError while the block that seeds it is to come.

    Args:
        panel: the committee.
        terms: the committee's.
        data: the batch's.
    """
    batch, number = data.record.batch, data.record.stamp.committed_block + terms.seed_delay
    head = panel.w3.eth.block_number
    if head <= number:
        raise MoveError(f"too early: block {number} seeds the draw; the latest is {head}")
    seed = bytes(panel.w3.eth.get_block(number)["hash"])
    return Draw(seed, sorted(set(draw(seed, data.record.id, terms.min_drawn, batch.count))))


def audit(
    board: Board,
    registry: Registry,
    terms: Terms,
    data: BatchData,
    found: Draw,
    recomputed: Mapping[int, bytes],
) -> Audit:
    """Return the statement that a batch is good.

    Args:
        board: the chain.
        registry: the core.
        terms: the committee's.
        data: the batch's, found to hash to its root.
        found: its draw.
        recomputed: output hash by leaf, from a run of one's own.

    Raises:
        MoveError: the network has another arbiter than the committee's, a rule is broken, a drawn
            leaf was not recomputed, or one is wrong.
    """
    record = data.record
    rules = board.rules(record)
    need_arbiter(terms, rules)
    flaw = first_flaw(record.batch, record.stamp, data.records, rules, registry.domain)
    if flaw is not None:
        raise MoveError(f"leaf {flaw.leaf_index} breaks a rule: {flaw.rule}; nothing was signed")
    missing = [index for index in found.indices if index not in recomputed]
    if missing:
        raise MoveError(f"no output was recomputed for drawn leaves {named(missing)}")
    wrong = [i for i in found.indices if recomputed[i] != data.records[i].output_hash]
    if wrong:
        raise MoveError(f"wrong outputs at drawn leaves {named(wrong)}; nothing was signed")
    return Audit(record.id, record.stamp.committed_at, found.seed)


def need_arbiter(terms: Terms, rules: Rules) -> None:
    """Raise MoveError unless a committee audits and convicts under these rules."""
    if rules.arbiter != terms.arbiter:
        raise MoveError(
            f"the network's arbiter is {checksummed(rules.arbiter)}; the committee audits only "
            f"networks of {checksummed(terms.arbiter)}"
        )


def verdict(board: Board, data: BatchData, recomputed: Mapping[int, bytes]) -> Verdict:
    """Return the ruling on a challenged leaf; MoveError unless it was recomputed."""
    record = data.record
    board.need_dispute(record, DisputeKind.CHALLENGE)
    assert record.dispute is not None
    index = record.dispute.leaf_index
    if index not in recomputed:
        raise MoveError(f"no output was recomputed for leaf {index}, the challenged one")
    right = recomputed[index] == data.records[index].output_hash
    ruling = Ruling.UPHELD if right else Ruling.REJECTED
    return Verdict(record.id, index, data.tree.leaf(index), ruling)


def named(indices: list[int]) -> str:
    """Return the first few of some leaves' indices, as a message tells them."""
    few = ", ".join(str(index) for index in indices[:5])
    return few if len(indices) <= 5 else f"{few} and {len(indices) - 5} more"
