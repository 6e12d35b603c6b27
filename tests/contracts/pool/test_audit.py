"""Audits: k places of the drawn panel, each once, of unconvicted keys, over this batch and seed.

stored   record, fees, grade | disputed: attested later | twice
refused  too few places | a place twice, of another's seat, beyond the panel | order | signature
         another model, asset, arbiter, auditor | a list too old or too small | no escrow | seed
"""

from dataclasses import replace

import pytest

from tallystick.protocol.enums import Grade
from tallystick.protocol.pool import EPOCH, Quorums, pack_signatures, places_of
from tests.contracts.pool.conftest import SEATS
from tests.support.chain import Chain, reverts
from tests.support.pool import (
    FEE,
    MIN_DRAWN,
    SEED_DELAY,
    Pool,
    batch_model,
    deploy,
    filled,
)
from tests.support.story import Committed, Network, register


def test_audit__whole_panel__stored_paid_and_attested(
    chain: Chain, pool: Pool, batch: Committed, operator: bytes
) -> None:
    record, signed = pool.audited(batch)
    sender, fee = chain.accounts[9], FEE * MIN_DRAWN
    before = pool.credit(sender)

    pool.audit(batch, signed)

    assert batch.status().grade is Grade.AUDITED
    assert pool.read("recordOf", batch.id) == record.hash()
    earned = [pool.read("memberOf", key)[4] for key in record.keys]
    assert earned == [fee * len(one.places) for one in signed.values()]
    assert pool.credit(sender) - before == fee
    assert pool.read("escrowOf", operator)[0] == 10_000 - fee * (pool.panel + 1)


def test_collect__fees__go_to_the_account(chain: Chain, pool: Pool, batch: Committed) -> None:
    record, signed = pool.audited(batch)
    pool.audit(batch, signed)
    key = record.keys[0]
    before, earned = pool.credit(key), pool.read("memberOf", key)[4]

    pool.send(chain.accounts[9], "collect", key)

    assert pool.credit(key) - before == earned > 0
    assert pool.read("memberOf", key)[4] == 0


def test_audit__panel__is_the_twins(chain: Chain, pool: Pool, batch: Committed) -> None:
    """Of who claims a place that it doesn't hold, none is taken."""
    entries, seed = pool.list_of(batch), pool.audit_seed(batch)
    held = places_of(entries, seed, batch.id, pool.panel)
    for entry, places in held.items():
        for place in range(pool.panel):
            seat = pool.read("seatOf", seed, batch.id, place, sum(SEATS))
            assert entries[entry].holds(seat) == (place in places)


def test_audit__fewer_places_than_half__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    few = dict(list(signed.items())[:1])
    while len(few) < len(signed):
        entry = list(signed)[len(few)]
        if sum(len(one.places) for one in few.values()) + len(signed[entry].places) >= 5:
            break
        few[entry] = signed[entry]

    with reverts("TooFewPlaces", needed=Quorums.of(9).audit):
        pool.audit(batch, few)


def test_audit__place_that_is_anothers__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    (first, one), (_, other) = list(signed.items())[:2]
    stolen = {first: replace(one, places=(*one.places, other.places[0]))}

    with reverts("PlaceNotHeld", place=other.places[0], entry=first):
        pool.audit(batch, stolen)


def test_audit__place_claimed_twice__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    (first, one), (second, other) = list(signed.items())[:2]
    twice = {first: one, second: replace(other, places=one.places)}

    with reverts("PlaceTaken", entry=second):
        pool.audit(batch, twice)


def test_audit__place_beyond_the_panel__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    first, one = next(iter(signed.items()))

    with reverts("PlaceTaken", entry=first):
        pool.audit(batch, {first: replace(one, places=(9,))})


def test_audit__entries_out_of_order_or_twice__reverts(
    chain: Chain, pool: Pool, batch: Committed
) -> None:
    _, signed = pool.audited(batch)
    whole = pack_signatures(signed)
    parts = [whole[start : start + 76] for start in range(0, len(whole), 76)]
    model = batch_model(batch, chain)
    for order in ([1, 0], [0, 0]):
        swapped = b"".join(parts[place] for place in order)
        with reverts("SignersOutOfOrder"):
            pool.send(chain.accounts[9], "audit", batch.pre_image(), model, swapped)
    with reverts("MalformedSignatures", length=len(whole) - 1):
        pool.send(chain.accounts[9], "audit", batch.pre_image(), model, whole[:-1])


def test_audit__entry_beyond_the_list__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    one = next(iter(signed.values()))

    with reverts("SignersOutOfOrder", entry=len(SEATS)):
        pool.audit(batch, {len(SEATS): one})


def test_audit__signature_of_another_key__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    (first, one), (_, other) = list(signed.items())[:2]

    with reverts("EntrySignatureInvalid", entry=first):
        pool.audit(batch, {first: replace(one, signature=other.signature)})
    broken = one.signature[:64] + b"\x05"
    with reverts("EntrySignatureInvalid", entry=first):
        pool.audit(batch, {first: replace(one, signature=broken)})


def test_audit__signatures_for_another_batch__reverts(
    pool: Pool, audited_network: Network, operator: bytes, batch: Committed
) -> None:
    other = audited_network.commit(operator, slot=1, count=40)
    _, signed = pool.audited(other)

    with reverts("EntrySignatureInvalid"):
        pool.audit(batch, signed)


def test_audit__twice__reverts(pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    pool.audit(batch, signed)

    with reverts("AuditStoredBefore", batchId=batch.id):
        pool.audit(batch, signed)


def test_audit__seed_not_there_yet__reverts(pool: Pool, batch: Committed) -> None:
    with reverts("SeedUnavailable", blockNumber=batch.stamp.committed_block + SEED_DELAY):
        pool.audit(batch, {})


def test_audit__seed_older_than_the_opcode_knows__by_the_history_contract(
    chain: Chain, pool: Pool, batch: Committed
) -> None:
    _, signed = pool.audited(batch)
    chain.mine(300)

    pool.audit(batch, signed)

    assert batch.status().grade is Grade.AUDITED


def test_audit__disputed_when_the_panel_is_ready__stored_then_and_attested_later(
    chain: Chain, pool: Pool, audited_network: Network, batch: Committed
) -> None:
    """A demand must not outlast the seed."""
    record, signed = pool.audited(batch)
    demander = chain.accounts[6]
    audited_network.fund(demander)
    dispute = batch.demand(demander)
    with reverts("StateForbids"):
        later = replace(dispute, due=dispute.due + 1)
        pool.audit(batch, signed, batch.pre_image(later))

    pool.audit(batch, signed, batch.pre_image(dispute))

    assert pool.read("recordOf", batch.id) == record.hash()
    mined = chain.send(
        *(batch.batch.operator, "reveal", batch.pre_image(dispute), batch.opening(0)),
        *(batch.signature(0), b"", b""),
    )
    closes = mined.events[-1].closes_at
    stamp = replace(batch.stamp, closes_at=closes)
    chain.send(demander, "attest", batch.batch.abi(), stamp.pack(), 1, b"")
    assert replace(batch, stamp=stamp).status().grade is Grade.AUDITED


def test_audit__another_model_or_spec__reverts(chain: Chain, pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    owner, content, parent = batch_model(batch, chain)

    with reverts("ModelMismatch", modelId=batch.batch.model_id):
        pool.send(
            *(chain.accounts[9], "audit", batch.pre_image(), (owner, b"x" * 32, parent)),
            pack_signatures(signed),
        )
    other = filled(deploy(chain, spec=b"x" * 32), SEATS)
    with reverts("ModelMismatch"):
        other.audit(batch, signed)


@pytest.mark.parametrize(
    "kind", ["arbiter", "auditor", "enclave too", "proofs too", "no arbiter", "asset"]
)
def test_audit__network_of_its_owners_own__reverts(
    chain: Chain, pool: Pool, network_owner: bytes, operator: bytes, kind: str
) -> None:
    """An arbiter of its own would "reject" honest batches, and burn who signed them."""
    attestors = [pool.address, bytes(20), bytes(20)]
    arbiter = pool.address
    asset = bytes(20)
    if kind == "arbiter":
        arbiter = chain.accounts[3]
    elif kind == "no arbiter":
        arbiter = bytes(20)
    elif kind == "auditor":
        attestors = [chain.accounts[3], pool.address, bytes(20)]
    elif kind == "enclave too":
        attestors = [pool.address, pool.address, bytes(20)]
    elif kind == "proofs too":
        attestors = [pool.address, bytes(20), pool.address]
    else:
        asset = bytes.fromhex(chain.deploy("MockToken").address[2:])
    network = register(
        chain, network_owner, salt=6, arbiter=arbiter, attestors=tuple(attestors), asset=asset
    )
    network.join(operator)
    foreign = network.commit(operator, count=40)
    _, signed = pool.audited(foreign)

    with reverts("NetworkForeign", networkId=network.id):
        pool.audit(foreign, signed)


def test_audit__batch_may_outlast_the_exit_delay__reverts(
    chain: Chain, pool: Pool, network_owner: bytes, operator: bytes
) -> None:
    places = (pool.address, bytes(20), bytes(20))
    network = register(
        *(chain, network_owner),
        salt=6,
        arbiter=pool.address,
        attestors=places,
        challenge_window=20 * 24 * 3600,
    )
    network.join(operator)
    batch = network.commit(operator, count=40)
    _, signed = pool.audited(batch)

    with reverts("ExitDelayTooShort"):
        pool.audit(batch, signed)


def test_audit__escrow_too_small__reverts(
    chain: Chain, pool: Pool, batch: Committed, operator: bytes
) -> None:
    _, signed = pool.audited(batch)
    pool.send(operator, "notice")
    chain.at(chain.now + EPOCH)
    pool.send(operator, "defund")
    # Its window is over as well; the escrow is asked first.
    with reverts("EscrowShort", operator=operator, balance=0):
        pool.audit(batch, signed)


def test_audit__list_three_epochs_old__is_gone(chain: Chain, pool: Pool, batch: Committed) -> None:
    _, signed = pool.audited(batch)
    for _ in range(3):
        pool.next_epoch()

    with reverts("EpochGone"):
        pool.audit(batch, signed)


def test_audit__too_few_seats__reverts(chain: Chain, network_owner: bytes, operator: bytes) -> None:
    pool = filled(deploy(chain), [71])
    places = (pool.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=5, arbiter=pool.address, attestors=places)
    network.join(operator)
    batch = network.commit(operator, count=40)
    _, signed = pool.audited(batch)

    with reverts("PoolTooSmall", seats=71, needed=72):
        pool.audit(batch, signed)


def test_attest__without_a_record__refused(chain: Chain, batch: Committed) -> None:
    with reverts("EvidenceRefused"):
        chain.send(chain.accounts[9], "attest", batch.batch.abi(), batch.stamp.pack(), 1, b"x")
