"""A batch's state on the chain itself, beside what its events say."""

from collections.abc import Mapping, Sequence
from typing import Any

from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError
from tallystick.chain.rpc.provider import http_provider
from tallystick.dashboard.events import Row
from tallystick.errors import PreImageError, TallystickError
from tallystick.protocol.batch import NO_DISPUTE, Batch, Dispute, PreImage, Stamp
from tallystick.protocol.enums import DisputeKind, State
from tallystick.protocol.hexes import from_hex

TIMEOUT = 10.0
"""Seconds for an answer of a node."""
_OPENINGS = {"BatchChallenged": DisputeKind.CHALLENGE, "BatchDemanded": DisputeKind.DEMAND}
_ENDINGS = {"ChallengeUpheld", "ChallengeLapsed", "LeafRevealed", "BatchRejected"}


class NoNodeError(TallystickError, RuntimeError):
    """No node of the chain answers."""


class OnChain:
    """Nodes to ask.

    Args:
        urls: JSON-RPC over HTTP, by chain id; several of a chain are tried in turn.
    """

    def __init__(self, urls: Mapping[int, Sequence[str]]) -> None:
        self._nodes = {
            chain_id: [Web3(http_provider(url, TIMEOUT)) for url in of_chain]
            for chain_id, of_chain in urls.items()
        }

    def status(self, batch: Row) -> dict[str, Any]:
        """Return the state of a batch at the latest block, as its slot or its archive has it.

        Args:
            batch: as Batches.find returns it.

        Raises:
            NoNodeError: no node of its chain is known, or none answers.
        """
        chain_id = batch["chain_id"]
        held, address = _pre_image(batch), from_hex(batch["core"])
        for node in self._nodes.get(chain_id, ()):
            try:
                if node.eth.chain_id == chain_id:
                    return _status(Registry(node, address), held)
            except (Web3Exception, ContractError, OSError, ValueError):
                # What a node says of itself may hold its URL, with a key in it.
                continue
        if chain_id not in self._nodes:
            raise NoNodeError(f"no node of chain {chain_id} is known; serve with --rpc")
        raise NoNodeError(f"no node of chain {chain_id} answers")


def _status(registry: Registry, held: PreImage) -> dict[str, Any]:
    batch, block = held.batch, registry.w3.eth.block_number
    word = registry.word(batch.network_id, batch.operator, held.stamp.slot, block)
    try:
        found = held.read(word)
        state, outcome, source = found.state, found.outcome.name.lower(), "slot"
        lapsed, cause = found.lapsed, "none"
    except PreImageError:
        archived = registry.archived(batch.id(), block)
        source = "none" if archived.state is State.UNKNOWN else "archive"
        state, lapsed = archived.state, archived.lapsed
        cause = archived.cause.name.lower()
        outcome = "unresolved" if lapsed else archived.grade.name.lower()
    return {
        "block": block,
        "state": state.name.lower(),
        "source": source,
        "outcome": None if state in (State.UNKNOWN, State.REJECTED) else outcome,
        "lapsed": lapsed,
        "cause": None if cause == "none" else cause,
    }


def _pre_image(row: Row) -> PreImage:
    batch = Batch(
        from_hex(row["network_id"]),
        from_hex(row["operator"]),
        row["index"],
        from_hex(row["model_id"]),
        from_hex(row["root"]),
        row["count"],
        int(row["commit_deadline"]),
    )
    stamp = Stamp(
        row["slot"], row["count"], row["committed_at"], row["committed_block"], row["closes_at"]
    )
    dispute = NO_DISPUTE
    for step in row["history"]:
        if step["event"] in _OPENINGS:
            dispute = _dispute(step)
        elif step["event"] in _ENDINGS and step["event"] != "BatchRejected":
            dispute = NO_DISPUTE
    return PreImage(batch, stamp, dispute)


def _dispute(step: Row) -> Dispute:
    kind = _OPENINGS[step["event"]]
    challenged = kind is DisputeKind.CHALLENGE
    return Dispute(
        kind,
        bool(step.get("with_bytes")),
        from_hex(step["challenger" if challenged else "demander"]),
        step["leaf_index"],
        step["due"],
        from_hex(step["leaf"]) if challenged else bytes(32),
    )
