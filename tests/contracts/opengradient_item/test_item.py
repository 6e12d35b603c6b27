"""OpenGradientItem through the registry: an item's signature grades a batch of one, upholds a leaf.

attest: a batch of one | of more | another leaf, item, operator | no claim, claim for another batch
time: key valid at the item's timestamp | item after the commit or too old
rule: Upheld with the leaf's item | reverts with anything else, so that the challenge can only lapse
"""

from dataclasses import replace
from typing import Any

import pytest

from tallystick.protocol.batch import Dispute
from tallystick.protocol.enums import DisputeKind, Grade, State
from tallystick.protocol.events import BatchChallenged
from tallystick.protocol.opengradient_item import Item
from tests.support.chain import Chain, Mined, reverts
from tests.support.enclave import Endorsed, endorsed
from tests.support.keys import HeldKey, held_rsa
from tests.support.story import CREDIT, HOUR, Committed, Network, register

MAX_AGE = 2 * HOUR


@pytest.fixture
def resolver(chain: Chain) -> Endorsed:
    return endorsed(chain, "OpenGradientItem", MAX_AGE)


@pytest.fixture
def network(
    chain: Chain, network_owner: bytes, operator: bytes, other_operator: bytes, resolver: Endorsed
) -> Network:
    places = (bytes(20), resolver.address, bytes(20))
    network = register(chain, network_owner, salt=11, attestors=places, arbiter=resolver.address)
    network.join(operator)
    network.join(other_operator)
    network.fund(chain.accounts[4], CREDIT)
    return network


@pytest.fixture
def key(chain: Chain, resolver: Endorsed, operator: bytes) -> HeldKey:
    """An RSA-2048 key in an enclave of the operator's, as OpenGradient's are."""
    key = held_rsa()
    resolver.endorse(key, operator)
    return key


def item_of(batch: Committed, index: int = 0, age: int = 5) -> Item:
    inference = batch.inferences[index]
    timestamp = batch.stamp.committed_at - age
    return Item(inference.input_hash, inference.output_hash, timestamp)


def claim(chain: Chain, resolver: Endorsed, operator: bytes, item: Item, batch_id: bytes) -> Mined:
    return chain.transact(operator, resolver.contract.functions.claim(item.hash(), batch_id))


def attest(chain: Chain, batch: Committed, shown: bytes) -> Mined:
    arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.ENCLAVE), shown
    return chain.send(chain.accounts[9], "attest", *arguments)


def shown(item: Item, batch: Committed, key: HeldKey, signature: bytes | None = None) -> bytes:
    signature = signature or key.sign(item.hash())
    return item.evidence(batch.inferences[0], key.key, signature)


def test_attest__item_of_a_batch_of_one__raises_the_grade(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)

    attest(chain, batch, shown(item, batch, key))

    assert batch.status().grade is Grade.ENCLAVE
    chain.at(batch.closes_at)
    chain.send(operator, "finalize", [batch.ref], network.id, operator)
    assert network.totals().enclave == 1


def test_attest__solicited_leaf__raises_the_grade(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1, solicited=True)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)

    attest(chain, batch, shown(item, batch, key))

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__batch_of_two__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=2)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)

    with reverts("BatchNotSingle", batchId=batch.id, count=2):
        attest(chain, batch, shown(item, batch, key))


def test_attest__no_claim__reverts(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)

    with reverts("ItemNotClaimed", item=item.hash(), claimed=bytes(32), batchId=batch.id):
        attest(chain, batch, shown(item, batch, key))


def test_attest__item_in_a_second_batch__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    first = network.commit(operator, count=1)
    second = network.commit(operator, count=1, slot=1)
    item = item_of(first)
    assert second.inferences[0].output_hash == item.output_hash
    claim(chain, resolver, operator, item, first.id)
    attest(chain, first, shown(item, first, key))

    with reverts("ItemTaken", item=item.hash(), batchId=first.id):
        claim(chain, resolver, operator, item, second.id)
    with reverts("ItemNotClaimed", claimed=first.id, batchId=second.id):
        attest(chain, second, shown(item, second, key))


def test_claim__an_item__is_told_by_its_event(
    chain: Chain, resolver: Endorsed, operator: bytes
) -> None:
    item, batch_id = Item(b"i" * 32, b"o" * 32, 1_800_000_000), b"x" * 32

    claim(chain, resolver, operator, item, batch_id)

    (log,) = resolver.contract.events.ItemClaimed().get_logs(from_block=0)
    account = chain.w3.to_checksum_address(operator)
    assert dict(log["args"]) == {"operator": account, "item": item.hash(), "batchId": batch_id}


def test_attest__item_of_another_operators_key__reverts(
    chain: Chain,
    resolver: Endorsed,
    network: Network,
    operator: bytes,
    other_operator: bytes,
    key: HeldKey,
) -> None:
    batch = network.commit(other_operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, other_operator, item, batch.id)

    with reverts("KeyOfOtherOperator", keyId=key.id, operator=operator, needed=other_operator):
        attest(chain, batch, shown(item, batch, key))


def test_claim__by_a_stranger__leaves_the_operators_own(
    chain: Chain,
    resolver: Endorsed,
    network: Network,
    operator: bytes,
    stranger: bytes,
    key: HeldKey,
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, stranger, item, b"x" * 32)
    claim(chain, resolver, operator, item, batch.id)

    attest(chain, batch, shown(item, batch, key))

    assert batch.status().grade is Grade.ENCLAVE


@pytest.mark.parametrize(
    "change",
    [
        {"output_hash": b"o" * 32},
        {"input_hash": b"i" * 32},
        {"nonce": 5},
        {"deadline": 5},
        {"requester": b"r" * 20},
        {"trace_root": b"t" * 32},
    ],
)
def test_attest__another_leaf__reverts(
    chain: Chain,
    resolver: Endorsed,
    network: Network,
    operator: bytes,
    key: HeldKey,
    change: dict[str, Any],
) -> None:
    batch = network.commit(operator, count=1)
    other = replace(batch.inferences[0], **change)
    item = Item(other.input_hash, other.output_hash, batch.stamp.committed_at)
    claim(chain, resolver, operator, item, batch.id)
    evidence = item.evidence(other, key.key, key.sign(item.hash()))

    with reverts("LeafMismatch", leaf=other.leaf(), root=batch.batch.root):
        attest(chain, batch, evidence)


def test_attest__bits_beyond_a_fields_width__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)
    good = shown(item, batch, key)

    with reverts("Reverted"):
        attest(chain, batch, b"\x01" + good[1:])


@pytest.mark.parametrize("size", [0, 191, 192, 300])
def test_attest__evidence_cut_short__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey, size: int
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)

    with reverts("Reverted"):
        attest(chain, batch, shown(item, batch, key)[:size])


@pytest.mark.parametrize(
    "other", [{"output_hash": b"o" * 32}, {"input_hash": b"i" * 32}, {"timestamp": 1_800_000_001}]
)
def test_attest__signature_of_another_item__reverts(
    chain: Chain,
    resolver: Endorsed,
    network: Network,
    operator: bytes,
    key: HeldKey,
    other: dict[str, Any],
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)
    signature = key.sign(replace(item, **other).hash())

    with reverts("KeySignatureInvalid", keyId=key.id):
        attest(chain, batch, shown(item, batch, key, signature))


def test_attest__unendorsed_key__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)
    other = held_rsa(3072)

    with reverts("KeyNotEndorsed", keyId=other.id):
        attest(chain, batch, shown(item, batch, other))


def test_attest__revoked_key__reverts(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch)
    claim(chain, resolver, operator, item, batch.id)
    resolver.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        attest(chain, batch, shown(item, batch, key))


@pytest.mark.parametrize(
    ("age", "valid"), [(0, True), (MAX_AGE, True), (MAX_AGE + 1, False), (-1, False)]
)
def test_attest__age_of_the_item__decides(
    chain: Chain,
    resolver: Endorsed,
    network: Network,
    operator: bytes,
    key: HeldKey,
    age: int,
    valid: bool,
) -> None:
    batch = network.commit(operator, count=1)
    item = item_of(batch, age=age)
    claim(chain, resolver, operator, item, batch.id)

    if valid:
        attest(chain, batch, shown(item, batch, key))
        assert batch.status().grade is Grade.ENCLAVE
    else:
        arguments = {"timestamp": item.timestamp, "latest": batch.stamp.committed_at}
        with reverts("ItemOutOfTime", maxAge=MAX_AGE, **arguments):
            attest(chain, batch, shown(item, batch, key))


@pytest.mark.parametrize(("age", "valid"), [(4, False), (5, True), (6, True), (7, False)])
def test_attest__key_valid_at_the_items_timestamp__decides(
    chain: Chain, resolver: Endorsed, network: Network, operator: bytes, age: int, valid: bool
) -> None:
    key = held_rsa()
    time = chain.now + 10
    resolver.endorse(key, operator, not_before=time - 6, not_after=time - 5)
    chain.at(time)
    batch = network.commit(operator, count=1)
    item = item_of(batch, age=age)
    claim(chain, resolver, operator, item, batch.id)

    if valid:
        attest(chain, batch, shown(item, batch, key))
        assert batch.status().grade is Grade.ENCLAVE
    else:
        with reverts("KeyNotValid", keyId=key.id, timestamp=item.timestamp):
            attest(chain, batch, shown(item, batch, key))


def challenged(
    chain: Chain, network: Network, operator: bytes, index: int
) -> tuple[Committed, Dispute]:
    batch = network.commit(operator, count=5)
    challenger = chain.accounts[4]
    mined = chain.send(
        challenger, "challenge", batch.batch.abi(), batch.stamp.pack(), batch.opening(index)
    )
    event = mined.event(BatchChallenged)
    dispute = Dispute(DisputeKind.CHALLENGE, False, challenger, index, event.due, event.leaf)
    return batch, dispute


def resolve(chain: Chain, batch: Committed, dispute: Dispute, evidence: bytes) -> Mined:
    leaf = batch.inferences[dispute.leaf_index].abi_leaf()
    return chain.send(chain.accounts[9], "resolve", batch.pre_image(dispute), leaf, evidence)


def test_rule__the_leafs_item__is_upheld(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch, dispute = challenged(chain, network, operator, 3)
    item = item_of(batch, 3)

    resolve(chain, batch, dispute, item.ruling_evidence(key.key, key.sign(item.hash())))

    word = chain.registry.word(network.id, operator, batch.stamp.slot)
    assert word[31] & 7 == State.OPEN
    assert network.totals().rejected == 0


def test_rule__item_of_another_leaf__reverts(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch, dispute = challenged(chain, network, operator, 3)
    item = item_of(batch, 2)

    with reverts("KeySignatureInvalid", keyId=key.id):
        resolve(chain, batch, dispute, item.ruling_evidence(key.key, key.sign(item.hash())))


def test_rule__item_after_the_deadline__reverts(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch, dispute = challenged(chain, network, operator, 3)
    deadline = batch.inferences[3].deadline
    item = replace(item_of(batch, 3), timestamp=deadline + 1)

    with reverts("ItemOutOfTime", timestamp=deadline + 1, latest=deadline):
        resolve(chain, batch, dispute, item.ruling_evidence(key.key, key.sign(item.hash())))


def test_rule__no_item_to_show__can_only_lapse(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch, dispute = challenged(chain, network, operator, 3)
    with reverts("Reverted"):
        resolve(chain, batch, dispute, b"")
    chain.at(dispute.due + 1)
    mined = chain.send(chain.accounts[9], "lapse", batch.pre_image(dispute))
    (event,) = mined.events
    stamp = replace(batch.stamp, closes_at=event.closes_at)
    chain.at(stamp.closes_at)
    chain.send(operator, "finalize", [(batch.id, stamp.pack())], network.id, operator)

    assert network.totals().unresolved == 5


def test_rule__good_item__does_not_disprove(
    chain: Chain, network: Network, operator: bytes, key: HeldKey
) -> None:
    batch = network.commit(operator)
    item = item_of(batch, 3)
    evidence = item.ruling_evidence(key.key, key.sign(item.hash()))

    with reverts("NotDisproved"):
        chain.send(operator, "disprove", batch.pre_image(), batch.opening(3), evidence)
