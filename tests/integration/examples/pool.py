"""What examples of a pool's commands need: two keys, TEST::0 and $KEY, hold all of its seats."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_account import Account

from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.pool import EPOCH, places_of
from tests.integration.examples.stage import Stage
from tests.support.pool import EXIT_DELAY, HISTORY_BLOCKS, SEED_DELAY, Pool, deploy, key_of
from tests.support.story import RULES, Committed, Network, keep, register

FIRST, SECOND = 0, 6
"""Accounts; the second's money goes to the stage's own account."""
OPERATOR, SEATS, LEAF = 5, 40, 5


def empty(stage: Stage) -> Pool:
    """A pool, and coins of the stage's account in it."""
    pool = deploy(stage.chain)
    stage.names |= {
        "POOL": checksummed(pool.address),
        "ACCOUNT": checksummed(stage.chain.accounts[7]),
    }
    pool.fund(stage.chain.accounts[stage.account], 2 * 10**18)
    return pool


def seated(stage: Stage) -> tuple[Pool, Network]:
    """Both keys' epoch has begun, and a network's operator has an escrow."""
    pool, chain = empty(stage), stage.chain
    for number, account in ((FIRST, None), (SECOND, chain.accounts[stage.account])):
        pool.fund(pool.member(number))
        pool.enroll(number, SEATS, account)
    pool.next_epoch()
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, chain.accounts[1], RULES, 6, arbiter=pool.address, attestors=places)
    operator = chain.accounts[OPERATOR]
    network.join(operator)
    network.fund(chain.accounts[stage.account])
    pool.fund(operator)
    pool.send(operator, "fund", 500_000)
    stage.names["NETWORK"] = to_hex(network.id)
    return pool, network


def drawn(stage: Stage, **changes: Any) -> tuple[Pool, Committed]:
    """A batch of which both keys hold places; a panel of one key alone is rare."""
    pool, network = seated(stage)
    for slot in range(20):
        batch = network.commit(stage.chain.accounts[OPERATOR], count=20, slot=slot, **changes)
        keep(stage.folder / "batches", batch)
        seed = pool.audit_seed(batch)
        if len(places_of(pool.list_of(batch), seed, batch.id, pool.panel)) == 2:
            break
    stage.names["BATCH"] = to_hex(batch.id)
    lines = [{"leaf": leaf, "output": to_hex(one)} for leaf, one in enumerate(batch.outputs)]
    Path("recomputed.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    return pool, batch


def keyed(stage: Stage) -> None:
    """A keyfile of the first key."""
    drawn(stage)
    Path("key.json").write_text(json.dumps(Account.encrypt(key_of(FIRST), "member", iterations=2)))


def signed(stage: Stage, *words: str) -> None:
    own = stage.account
    for stage.account, out in ((FIRST, "one.json"), (SECOND, "two.json")):
        line = "ape tallystick pool sign $POOL $BATCH --recomputed recomputed.jsonl --out"
        stage.run(" ".join((line, out, *words)))
    stage.account = own


def stated(stage: Stage) -> None:
    drawn(stage)
    signed(stage)


def audited(stage: Stage) -> None:
    stated(stage)
    stage.run("ape tallystick pool audit one.json two.json")


def challenged(stage: Stage) -> None:
    drawn(stage)
    stage.run(f"ape tallystick challenge $BATCH --leaf {LEAF}")


def judged(stage: Stage) -> None:
    """Both keys have ruled on a challenged leaf."""
    challenged(stage)
    stage.run(f"ape tallystick pool appeal $POOL $BATCH --leaf {LEAF}")
    stage.chain.mine(SEED_DELAY + 1)
    signed(stage, f"--leaf {LEAF}")


def lapsed(stage: Stage) -> None:
    """A case whose seed is gone."""
    pool, _ = drawn(stage)
    stage.run(f"ape tallystick challenge $BATCH --leaf {LEAF}")
    opened = stage.json(f"ape tallystick pool appeal $POOL $BATCH --leaf {LEAF}")
    stage.names["CASE"] = opened["case_id"]
    (case,) = stage.json("tallystick pool cases $POOL $BATCH")
    pool.mine_to(case["seed_block"] + HISTORY_BLOCKS)


def rejected(stage: Stage) -> None:
    """A batch whose leaves are out of order, which both keys signed all the same."""
    pool, batch = drawn(stage, shape=lambda leaves: leaves[::-1])
    batch.inputs.reverse()
    batch.outputs.reverse()
    keep(stage.folder / "batches", batch)
    _, signatures = pool.audited(batch)
    pool.audit(batch, signatures)
    stage.run("ape tallystick fault $BATCH")


def burned(stage: Stage) -> None:
    rejected(stage)
    stage.run("ape tallystick pool convict $POOL $BATCH")


def funded(stage: Stage) -> None:
    empty(stage)
    stage.run("ape tallystick pool fund $POOL '1 ether'")


def noticed(stage: Stage) -> None:
    funded(stage)
    stage.run("ape tallystick pool notice $POOL")
    stage.wait(EPOCH)


def free(stage: Stage) -> None:
    """The second key's stake can leave."""
    pool, _ = seated(stage)
    pool.next_epoch()
    stage.wait(EXIT_DELAY)


PREPARE: dict[str, Callable[[Stage], Any]] = {
    "tallystick pool": seated,
    "tallystick pool show": seated,
    "tallystick pool members": seated,
    "tallystick pool draw": drawn,
    "tallystick pool panel": drawn,
    "tallystick pool cases": drawn,
    "tallystick pool sign": keyed,
    "ape tallystick pool": empty,
    "ape tallystick pool deposit": empty,
    "ape tallystick pool withdraw": empty,
    "ape tallystick pool enroll": empty,
    "ape tallystick pool fund": empty,
    "ape tallystick pool notice": funded,
    "ape tallystick pool defund": noticed,
    "ape tallystick pool close": seated,
    "ape tallystick pool collect": audited,
    "ape tallystick pool leave": free,
    "ape tallystick pool audit": stated,
    "ape tallystick pool appeal": challenged,
    "ape tallystick pool ruled": judged,
    "ape tallystick pool expire": lapsed,
    "ape tallystick pool convict": rejected,
    "ape tallystick pool sweep": burned,
}
