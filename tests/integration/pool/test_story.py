"""A pool from its deployment to the last withdrawal, by commands alone."""

from pathlib import Path

from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.pool import EPOCH, epoch_of
from tests.integration.conftest import Commands
from tests.integration.pool.conftest import (
    CHALLENGER,
    KEYS,
    OPERATOR,
    QUORUMS,
    SEATS,
    Bench,
    file_of,
    pool_at,
    right,
)
from tests.support.chain import Chain
from tests.support.pool import (
    EXIT_DELAY,
    FEE,
    MIN_DRAWN,
    SEAT_STAKE,
    SEED_DELAY,
)
from tests.support.story import RULES, keep, register


def test_pool__from_deployment_to_the_last_withdrawal(
    chain: Chain, bench: Bench, commands: Commands, tmp_path: Path
) -> None:
    address = commands.json("deploy", "--pool", file_of(tmp_path), account=0)["address"]
    pool = pool_at(chain, from_hex(address))

    # Seats.
    for number in KEYS:
        pool.member(number)
        bench.run("deposit", address, f"{SEATS * SEAT_STAKE + 1_000} wei", by=number)
        done = bench.run("enroll", address, SEATS, by=number)
        assert (done["seats"], done["paid"]) == (SEATS, SEATS * SEAT_STAKE)
    shown = commands.json("pool show", address)
    assert (shown["seats"], shown["next_seats"], shown["next_keys"]) == (0, 120, 12)
    pool.next_epoch()
    assert commands.json("pool show", address)["draws"] is True
    rows = commands.json("pool members", address)
    assert [row["seats"] for row in rows] == [SEATS] * 12
    assert commands.json("pool members", address, "--next") == []

    # An audit, paid by the operator's escrow.
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, chain.accounts[4], RULES, arbiter=pool.address, attestors=places)
    network.join(chain.accounts[OPERATOR])
    bench.run("deposit", address, 20_000, by=OPERATOR)
    assert bench.run("fund", address, 15_000, by=OPERATOR)["escrow"] == 15_000
    batch = network.commit(chain.accounts[OPERATOR], count=40)
    keep(tmp_path / "batches", batch)
    chain.mine(SEED_DELAY + 1)
    drawn = commands.json("pool draw", address, to_hex(batch.id), *bench.kept)
    assert all(row["input"] == to_hex(batch.inputs[row["leaf"]]) for row in drawn)
    signers = bench.audited(pool, batch)
    assert batch.status().grade is Grade.AUDITED
    escrow = commands.json("pool show", address, "--of", operator_of(chain))
    paid = 15_000 - escrow["escrow"]
    assert paid % (FEE * MIN_DRAWN) == 0 and paid >= (QUORUMS.audit + 1) * FEE * MIN_DRAWN

    # A case on a leaf that the audit drew; who signed has no say in it.
    bench.run("deposit", address, 10_000, by=CHALLENGER)
    leaf = bench.appealed(pool, batch, [row["leaf"] for row in drawn])
    judges = bench.judges(pool, batch, leaf)
    assert not set(signers) & set(judges)
    rows = commands.json("pool cases", address, to_hex(batch.id))
    assert rows[-1]["leaf"] == leaf and rows[-1]["challenged"] is False
    barred = bench.judges(pool, batch, leaf, counts=False)[0]
    answers = ["--leaf", leaf, "--recomputed", bench.recomputed(right(batch)), "--out", "unwritten"]
    by = pool.members[from_hex(barred)]
    text = bench.error("sign", address, to_hex(batch.id), *bench.kept, *answers, by=by)
    assert f"key {barred} has signed the audit, and has no say on it" in text
    statements = bench.sign(pool, batch, {leaf: b"other"}, judges, leaf)
    tried = bench.run("ruled", *statements, *bench.kept, "--dry-run")
    done = bench.run("ruled", *statements, *bench.kept)
    stake = len(signers) * SEATS * SEAT_STAKE
    assert tried["dry_run"] and tried["burned"] == done["burned"] == stake - stake // 16
    assert sorted(done["convicts"]) == sorted(signers) and done["ruling"] == "rejected"
    found = chain.registry.archived(batch.id)
    assert (found.state, found.cause, found.leaf_index) == (State.REJECTED, Cause.DISPROOF, leaf)
    assert "has stake left" in bench.error("convict", address, to_hex(batch.id))
    convicted = commands.json("pool show", address, "--of", signers[0])
    assert (convicted["standing"], convicted["seats"]) == ("convicted", 0)
    assert bench.run("sweep", address)["amount"] == stake - stake // 16
    assert "nothing was burned" in bench.error("sweep", address)

    # The way out: of an honest key, and of the escrow.
    honest = next(n for key, n in pool.members.items() if to_hex(key) in map(str.lower, judges))
    held = bench.error("leave", address, by=honest)
    assert "too early" in held and "its exit delay" in held
    assert bench.run("collect", address, by=honest)["fees"] > 0
    assert "earned nothing" in bench.error("collect", address, by=honest)
    due = bench.run("notice", address, by=OPERATOR)["due"]
    assert "another notice would put that off" in bench.error("notice", address, by=OPERATOR)
    assert "too early" in bench.error("defund", address, by=OPERATOR)
    chain.at(due + 60).mine()
    assert bench.run("defund", address, by=OPERATOR)["amount"] == escrow["escrow"]
    chain.at((epoch_of(chain.now) + 1) * EPOCH + EXIT_DELAY).mine()
    assert bench.run("leave", address, by=honest)["stake"] == SEATS * SEAT_STAKE
    credit = commands.json("pool show", address, "--of", to_hex(pool.member(honest)))["credit"]
    assert credit > SEATS * SEAT_STAKE
    bench.run("withdraw", address, credit, by=honest)
    assert pool.credit(pool.member(honest)) == 0


def operator_of(chain: Chain) -> str:
    return to_hex(chain.accounts[OPERATOR])
