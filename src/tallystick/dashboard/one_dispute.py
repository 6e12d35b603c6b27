"""One dispute: its sides, its two events, and what is at stake in it."""

from tallystick.dashboard.events import Row
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.snapshot import NotHereError, Snapshot
from tallystick.data.resolvers.kinds import ARBITER

_ENDINGS = ("ChallengeUpheld", "ChallengeLapsed", "LeafRevealed", "BatchRejected")


def dispute(snapshot: Snapshot, chain_id: int, core: str, batch_id: str, number: int) -> Row:
    """Return what api_disputes.DisputeInFull takes; NotHereError when the batch has no such one.

    Args:
        snapshot: asked.
        chain_id, core, batch_id: the batch; lower-case hex text.
        number: of the batch's disputes, from 1 on.
    """
    row = snapshot.disputes.find(chain_id, core, batch_id, number)
    batch = snapshot.batches.find(chain_id, core, batch_id)
    if row is None or batch is None:
        raise NotHereError(f"no event tells of dispute {number} of batch {batch_id}")
    key = NetworkKey.of(row)
    told = snapshot.network(key)
    rules = snapshot.registration(key)["rules"]
    arbiter = snapshot.resolvers(key).get(ARBITER)
    opened = row["block_number"], row["log_index"]
    later = [one for one in batch["history"] if (one["block_number"], one["log_index"]) >= opened]
    ends = [one for one in later if one["event"] in _ENDINGS] if row["ended_as"] else []
    return row | {
        "name": told["name"],
        "asset": told["asset"],
        "model_id": batch["model_id"],
        "count": batch["count"],
        "committed_at": batch["committed_at"],
        "committed_block": batch["committed_block"],
        "batch_state": batch["state"],
        "batch_outcome": batch["outcome"],
        "arbiter": arbiter.address if arbiter else None,
        "arbiter_standing": arbiter.standing if arbiter else None,
        "bond": rules[f"{row['kind']}_bond"],
        "at_stake": int(rules["stake_per_inference"]) * batch["count"],
        "steps": [later[0], *ends[:1]],
    }
