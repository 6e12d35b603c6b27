"""A pool in the API: seats, escrow, an audit, a case, the way out; what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

import tallystick
from tallystick import (
    ActionError,
    BatchHandle,
    DeployError,
    FieldError,
    Grade,
    InferenceRecord,
    NetworkHandle,
    PoolError,
    PoolHandle,
    PoolTerms,
    ReadOnlyError,
    State,
)
from tallystick.chain.localnet import advance, mine
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.pool import EPOCH
from tests.integration.api.conftest import ETHER, OPERATOR, OTHER, OWNER, RULES, As
from tests.support.chain import Chain

SPEC = b"the square of a number"
TERMS = PoolTerms(
    asset=bytes(20),
    spec=keccak256(SPEC),
    replay=bytes(20),
    seat_stake=1_000,
    min_seats=72,
    panel=9,
    min_drawn=16,
    seed_delay=8,
    exit_delay=2 * EPOCH,
    fee_per_leaf=3,
    rule_fee=7,
)
SEATS = 40
KEYS = (OWNER, OTHER)
RECORDS = [InferenceRecord(input=b"%d" % n, output=b"%d" % (n * n)) for n in range(5)]


def square(given: bytes) -> bytes:
    return b"%d" % int(given) ** 2


@pytest.fixture
def pool(as_: As, chain: Chain) -> PoolHandle:
    """Of two keys, whose epoch has begun."""
    pool = as_(OPERATOR).deploy_pool(TERMS)
    for number in KEYS:
        own = as_(number).pool(pool.address)
        own.deposit(SEATS * TERMS.seat_stake)
        own.enroll(SEATS)
    advance(chain.w3, EPOCH)
    return pool


@pytest.fixture
def network(as_: As, pool: PoolHandle) -> NetworkHandle:
    """Audited and judged by the pool."""
    rules = replace(RULES, attestors=(pool.address, bytes(20), bytes(20)), arbiter=pool.address)
    network = as_(OPERATOR).create_network("Pooled", rules)
    network.stake(ETHER)
    pool.deposit(10_000)
    pool.fund(10_000)
    return network


@pytest.fixture
def batch(network: NetworkHandle, model_file: Path, chain: Chain) -> BatchHandle:
    model = network.register_model("squares", model_file, spec=SPEC)
    found = network.submit(model, RECORDS)
    mine(chain.w3, TERMS.seed_delay + 1)
    return found


def test_pool__audit_by_its_panel__is_counted_and_paid(
    as_: As, pool: PoolHandle, batch: BatchHandle
) -> None:
    assert as_(OWNER).deploy_pool(TERMS).address == pool.address
    assert (pool.terms, pool.size()) == (TERMS, (2 * SEATS, 2))
    assert [one.seats for one in pool.members()] == [SEATS, SEATS]
    keys = {as_(number).pool(pool.address): number for number in KEYS}
    members = {as_(number).account for number in KEYS}
    on_panel = [
        own
        for own, number in keys.items()
        if pool.panel(batch).entry_of(as_(number).account or b"") is not None
    ]
    with pytest.raises(ActionError, match="wrong outputs at drawn leaves"):
        on_panel[0].audit(batch, lambda given: b"wrong")
    with pytest.raises(ActionError, match="holds no place of this panel"):
        pool.audit(batch, square)

    pool.send(*(own.audit(batch, square) for own in on_panel))

    assert batch.status().grade is Grade.AUDITED
    assert {one.key for one in pool.members()} == members
    assert sum(one.earned for one in pool.members()) == 9 * TERMS.audit_fee(5)
    assert pool.escrow().balance == 10_000 - 10 * TERMS.audit_fee(5)
    on_panel[0].collect()
    assert on_panel[0].credit() > 0
    with pytest.raises(ActionError, match="on record already"):
        on_panel[0].audit(batch, square)


def test_pool__challenged_leaf__is_ruled_on_by_its_panel(
    as_: As, chain: Chain, pool: PoolHandle, network: NetworkHandle, batch: BatchHandle
) -> None:
    network.deposit(RULES.challenge_bond)
    batch.challenge(2)
    pool.deposit(TERMS.case_fee)
    pool.appeal(batch, batch.receipts[2])
    with pytest.raises(PoolError, match="too early"):
        as_(OTHER).pool(pool.address).rule(batch, 2, square)
    mine(chain.w3, TERMS.seed_delay + 1)

    said = [as_(n).pool(pool.address).rule(batch, 2, lambda given: b"other") for n in KEYS]
    with pytest.raises(ActionError, match="places of 19 signed; needed: 12"):
        pool.send(replace(said[0], signatures={}))
    pool.send(*said)

    assert batch.status().state is State.REJECTED
    with pytest.raises(ActionError, match="has no audit on record"):
        pool.convict(batch)


def test_pool__way_out__is_open_once_nothing_holds_it(
    as_: As, chain: Chain, pool: PoolHandle
) -> None:
    own = as_(OTHER).pool(pool.address)
    with pytest.raises(ActionError, match="too early: .* the stake is held until"):
        own.leave()
    own.close()
    with pytest.raises(ActionError, match="is closed, and never enrols again"):
        own.enroll(1)
    advance(chain.w3, EPOCH + TERMS.exit_delay)
    own.leave()
    own.withdraw(own.credit())
    assert (own.credit(), own.member().seats) == (0, 0)

    own.deposit(50)
    own.fund(50)
    own.notice()
    with pytest.raises(ActionError, match="another notice would put that off"):
        own.notice()
    with pytest.raises(ActionError, match="too early"):
        own.defund()
    advance(chain.w3, EPOCH)
    own.defund()
    assert (own.escrow().balance, own.credit()) == (0, 50)


def test_pool__what_cannot_be__is_named(as_: As, pool: PoolHandle) -> None:
    registry = as_(OPERATOR)

    with pytest.raises(FieldError, match="panel is 8; needed: an odd number from 9 to 31"):
        registry.deploy_pool(replace(TERMS, panel=8))
    with pytest.raises(DeployError, match="asset is 0x1111.*, where no contract is"):
        registry.deploy_pool(replace(TERMS, asset=b"\x11" * 20))
    with pytest.raises(PoolError, match="no contract is at"):
        registry.pool(b"\x11" * 20)
    with pytest.raises(ReadOnlyError):
        as_(None).pool(pool.address).deposit(1)
    assert as_(None).pool(pool.address).size().seats == 2 * SEATS
    assert repr(pool).startswith("<pool 0x")
    assert tallystick.PoolTerms is PoolTerms
