"""The next command, named on stderr at the end of each one that sends."""

import shlex
from collections.abc import Mapping
from typing import Any

from tallystick.cli.output import plain

_BATCH = "tallystick batch {batch}"
_POOL = "tallystick pool show {pool}"
_COMMITTEE = "tallystick committee show {committee}"
NEXT = {
    "deploy": "tallystick network template > network.yaml",
    "network create": "ape tallystick stake deposit {network_id} '1 ether'",
    "network admit": "tallystick network show {network_id}",
    "network close": "tallystick batches --network-id {network_id} --operator {operator}",
    "model register": "tallystick model list {network_id}",
    "stake deposit": "tallystick model list {network_id}",
    "stake withdraw": "tallystick tally {network_id}",
    "key set": "tallystick node template operator > operator.yaml",
    "key unset": "tallystick batches --mine",
    "submit": "tallystick batches --network-id {network_id}",
    "attest": _BATCH,
    "challenge": "tallystick disputes",
    "demand": "tallystick disputes",
    "reveal": _BATCH,
    "resolve": _BATCH,
    "disprove": _BATCH,
    "defend": _BATCH,
    "fault": _BATCH,
    "timeout": _BATCH,
    "lapse": _BATCH,
    "finalize": "tallystick tally",
    "archive": _BATCH,
    "sweep": "tallystick tally {network_id}",
    "committee stake": _COMMITTEE,
    "committee exit": _COMMITTEE,
    "committee pay-out": _COMMITTEE,
    "committee convict": "tallystick batches",
    "committee sweep": _COMMITTEE,
    "pool deposit": "ape tallystick pool enroll {pool} 10",
    "pool withdraw": _POOL,
    "pool enroll": "tallystick pool members {pool}",
    "pool close": _POOL,
    "pool leave": _POOL,
    "pool collect": _POOL,
    "pool fund": _POOL,
    "pool notice": _POOL,
    "pool defund": _POOL,
    "pool audit": "tallystick batches",
    "pool appeal": "tallystick pool panel {pool} {batch}",
    "pool ruled": "tallystick disputes",
    "pool convict": "tallystick pool cases {pool} {batch}",
    "pool expire": _POOL,
    "pool sweep": _POOL,
    "import opengradient": "tallystick batches --network-id {network_id}",
    "enclave-http register": "tallystick model list {network_id}",
    "enclave-http submit": "tallystick batches --network-id {network_id}",
    "enclave-http submit-kept": "tallystick batches --network-id {network_id}",
    "validation request": _BATCH,
    "validation respond": "tallystick tally",
}
"""By a command's name: the next one; in braces, what the first was given or has shown."""


def next_step(name: str, values: Mapping[str, Any]) -> str | None:
    """Return the command that comes after another; None where there is none, or a value lacks.

    Args:
        name: the command's, without `ape tallystick`.
        values: what it was given and has shown, by name.

    >>> next_step("attest", {"batch": "receipts/my batch.jsonl"})
    "tallystick batch 'receipts/my batch.jsonl'"
    """
    words = {key: shlex.quote(str(plain(value))) for key, value in values.items()}
    try:
        return NEXT[name].format_map(words)
    except KeyError:
        return None
