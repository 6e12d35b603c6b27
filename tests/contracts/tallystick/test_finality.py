"""attest, finalize, archive, status: how a grade comes about and what stays of it"""

import pytest

from tallystick.protocol.batch import ARCHIVE_DELAY, PreImage
from tallystick.protocol.enums import Cause, Grade, Outcome, State
from tallystick.protocol.events import (
    BatchArchived,
    BatchAttested,
    BatchFinalized,
    EvidenceAccepted,
)
from tallystick.protocol.hexes import checksummed
from tests.support.chain import GAS, Chain, Mined, reverts
from tests.support.story import CREDIT, STAKE, Committed, Network, conserved, register

YES = (1).to_bytes(32, "big")
REVERT, EAT_GAS, EMPTY, TWO_WORDS, OUT_OF_RANGE, REENTER = range(6)


@pytest.fixture
def batch(network: Network, operator: bytes) -> Committed:
    return network.commit(operator, count=5)


def attest(
    chain: Chain, sender: bytes, batch: Committed, grade: Grade, evidence: bytes = YES
) -> Mined:
    reference = batch.batch.abi(), batch.stamp.pack()
    return chain.send(sender, "attest", *reference, int(grade), evidence)


def test_attest__accepted__raises_the_grade(
    chain: Chain, batch: Committed, stranger: bytes
) -> None:
    event = attest(chain, stranger, batch, Grade.AUDITED).event(BatchAttested)

    assert event.grade is Grade.AUDITED
    assert batch.word() == PreImage(batch.batch, batch.stamp).word(State.OPEN, Grade.AUDITED)
    attest(chain, stranger, batch, Grade.PROVEN)
    assert batch.status().grade is Grade.PROVEN


def test_attest__each_grade_in_turn__is_the_batchs(
    chain: Chain, batch: Committed, stranger: bytes
) -> None:
    """No bit of the grade before is left: Audited and Enclave together would be Proven."""
    for grade in (Grade.AUDITED, Grade.ENCLAVE, Grade.PROVEN):
        attest(chain, stranger, batch, grade)

        assert batch.word() == PreImage(batch.batch, batch.stamp).word(State.OPEN, grade)
        assert batch.status().grade is grade


def test_attest__accepted__tells_the_evidence(
    chain: Chain, batch: Committed, stranger: bytes
) -> None:
    """Also where a contract sent it: whoever convicts needs no transaction's input."""
    evidence = YES + batch.id + b"signatures"

    mined = attest(chain, stranger, batch, Grade.AUDITED, evidence)

    event = mined.event(EvidenceAccepted)
    assert (event.batch_id, event.grade, event.evidence) == (batch.id, Grade.AUDITED, evidence)


@pytest.mark.parametrize("grade", [Grade.AUDITED, Grade.UNCHALLENGED])
def test_attest__grade_not_higher__reverts(
    chain: Chain, batch: Committed, stranger: bytes, grade: Grade
) -> None:
    attest(chain, stranger, batch, Grade.AUDITED)

    with reverts("GradeNotRaised", grade=grade.name, current="AUDITED"):
        attest(chain, stranger, batch, grade)


def test_attest__last_second_before_closes_at__is_taken_and_at_it_reverts(
    chain: Chain, batch: Committed, stranger: bytes
) -> None:
    with chain.isolated():
        chain.at(batch.closes_at - 1)
        attest(chain, stranger, batch, Grade.AUDITED)
    chain.at(batch.closes_at)
    with reverts("TooLate", timestamp=batch.closes_at, until=batch.closes_at - 1):
        attest(chain, stranger, batch, Grade.AUDITED)


def test_attest__no_attestor_in_the_grades_place__reverts(
    chain: Chain, network_owner: bytes, operator: bytes, resolver: bytes, stranger: bytes
) -> None:
    places = (bytes(20), resolver, bytes(20))
    network = register(chain, network_owner, salt=9, attestors=places)
    network.join(operator)
    batch = network.commit(operator)

    for grade in (Grade.AUDITED, Grade.PROVEN):
        with reverts("AttestorMissing", networkId=network.id, grade=grade.name):
            attest(chain, stranger, batch, grade)
    attest(chain, stranger, batch, Grade.ENCLAVE)

    assert batch.status().grade is Grade.ENCLAVE


def test_attest__refused__reverts(chain: Chain, batch: Committed, stranger: bytes) -> None:
    with reverts("EvidenceRefused", batchId=batch.id, grade="AUDITED"):
        attest(chain, stranger, batch, Grade.AUDITED, bytes(32))


def test_attest__answer_that_is_no_boolean__reverts(
    chain: Chain, network_owner: bytes, operator: bytes, stranger: bytes
) -> None:
    attestor, answers_two = b"a" * 20, "0x600260005260206000f3"
    chain.w3.provider.make_request("anvil_setCode", [checksummed(attestor), answers_two])
    network = register(chain, network_owner, salt=9, attestors=(attestor, bytes(20), bytes(20)))
    network.join(operator)
    batch = network.commit(operator)

    with reverts("MalformedAnswer", resolver=attestor):
        attest(chain, stranger, batch, Grade.AUDITED)


def test_attest__evidence_for_another_batch__is_refused_by_its_id(
    chain: Chain, network: Network, operator: bytes, batch: Committed, stranger: bytes
) -> None:
    twin = network.commit(operator, slot=1, root=batch.batch.root)
    evidence = YES + batch.id
    attest(chain, stranger, batch, Grade.AUDITED, evidence)

    with reverts("UnknownError"):
        attest(chain, stranger, twin, Grade.AUDITED, evidence)


@pytest.fixture
def told(chain: Chain, network_owner: bytes, operator: bytes) -> Network:
    """A network whose attestor accepts nothing but the facts."""
    attestor = bytes.fromhex(chain.deploy("FactsAttestor").address[2:])
    network = register(chain, network_owner, salt=9, attestors=(attestor, bytes(20), bytes(20)))
    network.join(operator)
    return network


def facts(committed_at: int, block: int, closes_at: int) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in (committed_at, block, closes_at))


def test_attest__attestor__is_told_the_batch_its_times_and_its_block(
    chain: Chain, told: Network, operator: bytes
) -> None:
    batch = told.commit(operator, solicited=True)
    stamp = batch.stamp

    attest(
        chain,
        operator,
        batch,
        Grade.AUDITED,
        facts(stamp.committed_at, stamp.committed_block, stamp.closes_at),
    )

    assert batch.status().grade is Grade.AUDITED


def test_commit_attested__attestor__is_told_the_same(
    chain: Chain, told: Network, operator: bytes
) -> None:
    at, block = chain.now + 10, chain.w3.eth.block_number + 1
    evidence = facts(at, block, at + told.rules.challenge_window)
    commitment = told.commitment(told.inferences(operator, 5, 0, at + 900), 0)

    chain.at(at)
    mined = chain.send(operator, "commitAttested", commitment, int(Grade.AUDITED), evidence)

    assert mined.event(BatchAttested).grade is Grade.AUDITED


def test_attest__disputed_batch__reverts(chain: Chain, batch: Committed, challenger: bytes) -> None:
    chain.send(challenger, "demand", batch.batch.abi(), batch.stamp.pack(), 0, False)

    with reverts("PreImageMismatch"):
        attest(chain, challenger, batch, Grade.AUDITED)


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        (REVERT, "UnknownError"),
        (EAT_GAS, "Reverted"),
        (EMPTY, "MalformedAnswer"),
        (TWO_WORDS, "MalformedAnswer"),
        (OUT_OF_RANGE, "MalformedAnswer"),
        (REENTER, "Reverted"),
    ],
)
def test_hostile_resolver__attesting_or_ruling__changes_nothing(
    chain: Chain, network_owner: bytes, operator: bytes, challenger: bytes, mode: int, error: str
) -> None:
    callback = chain.registry.call("withdraw", bytes(20), challenger, 0).data
    address = checksummed(chain.registry.address)
    hostile = bytes.fromhex(chain.deploy("HostileResolver", mode, address, callback).address[2:])
    attestors = (hostile, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=9, arbiter=hostile, attestors=attestors)
    network.join(operator)
    batch = network.commit(operator)

    with reverts(error):
        attest(chain, challenger, batch, Grade.AUDITED)
    with reverts(error):
        chain.send(challenger, "disprove", batch.pre_image(), batch.opening(0), YES)

    assert batch.status().state is State.OPEN
    assert network.credit(challenger) == CREDIT
    conserved(chain, network)


def test_attest__account_without_code__reverts(
    chain: Chain, network_owner: bytes, operator: bytes, stranger: bytes
) -> None:
    places = (stranger, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=9, attestors=places)
    network.join(operator)

    with reverts("MalformedAnswer", resolver=stranger):
        attest(chain, stranger, network.commit(operator), Grade.AUDITED)


def test_finalize__a_second_before_closes_at__reverts(
    chain: Chain, network: Network, operator: bytes, batch: Committed
) -> None:
    chain.at(batch.closes_at - 1)
    with reverts("TooEarly", timestamp=batch.closes_at - 1, from_=batch.closes_at):
        chain.send(operator, "finalize", [batch.ref], network.id, operator)


def test_finalize__at_closes_at_by_anyone__counts_and_unlocks(
    chain: Chain, network: Network, operator: bytes, batch: Committed, stranger: bytes
) -> None:
    chain.at(batch.closes_at)
    event = chain.send(stranger, "finalize", [batch.ref], network.id, operator).event(
        BatchFinalized
    )

    assert (event.outcome, event.count) == (Outcome.UNCHALLENGED, 5)
    totals = network.totals()
    assert (totals.unchallenged, totals.verified, totals.open) == (5, 0, 0)
    assert network.lane(operator).open_inferences == 0
    chain.send(operator, "unstake", network.id, STAKE)


def test_finalize__several_of_a_lane__all_or_none(
    chain: Chain, network: Network, operator: bytes
) -> None:
    batches = [network.commit(operator, count=count, slot=count) for count in (1, 2, 3)]
    refs = [batch.ref for batch in batches]

    chain.at(batches[2].closes_at)
    with reverts("StateForbids", batchId=batches[0].id, state="FINAL"):
        chain.send(operator, "finalize", [*refs, refs[0]], network.id, operator)
    assert network.totals().unchallenged == 0
    chain.send(operator, "finalize", refs, network.id, operator)

    assert network.totals().unchallenged == 6


def test_finalize__twice__reverts(chain: Chain, network: Network, operator: bytes) -> None:
    batch = network.final(operator)

    with reverts("StateForbids", batchId=batch.id, state="FINAL"):
        chain.send(operator, "finalize", [batch.ref], network.id, operator)


def test_archive__open_batch__reverts(
    chain: Chain, network: Network, operator: bytes, batch: Committed
) -> None:
    with reverts("StateForbids", state="OPEN"):
        chain.send(operator, "archive", network.id, operator, batch.ref)


def test_archive__another_pre_image__reverts(
    chain: Chain, network: Network, operator: bytes, batch: Committed
) -> None:
    with reverts("PreImageMismatch"):
        chain.send(operator, "archive", network.id, operator, (b"x" * 32, batch.ref[1]))


def test_archive__final_batch__is_known_after_its_slot_is_taken_over(
    chain: Chain, network: Network, operator: bytes
) -> None:
    batch = network.final(operator)
    assert chain.registry.archived(batch.id).state is State.UNKNOWN
    event = chain.send(operator, "archive", network.id, operator, batch.ref).event(BatchArchived)
    assert (event.network_id, event.operator, event.batch_id) == (network.id, operator, batch.id)

    network.commit(operator)

    status = batch.status()
    assert (status.state, status.count) == (State.FINAL, 5)
    assert (status.cause, status.leaf_index) == (Cause.NONE, 0)
    assert status.committed_at == batch.stamp.committed_at
    assert chain.registry.archived(batch.id) == status
    with reverts("PreImageMismatch"):
        chain.send(operator, "archive", network.id, operator, batch.ref)


def test_archive__twice__reverts(chain: Chain, network: Network, operator: bytes) -> None:
    batch = network.final(operator)
    chain.send(operator, "archive", network.id, operator, batch.ref)

    with reverts("AlreadyArchived", batchId=batch.id):
        chain.send(operator, "archive", network.id, operator, batch.ref)


def test_status__overwritten_and_not_archived__is_unknown_never_final(
    chain: Chain, network: Network, operator: bytes
) -> None:
    batch = network.commit(operator)
    chain.at(batch.closes_at + ARCHIVE_DELAY).mine()

    network.commit(operator, over=batch)

    assert batch.status().state is State.UNKNOWN
    assert chain.registry.state_of(PreImage(batch.batch, batch.stamp)) is State.UNKNOWN


def test_status__disputed__is_unknown_without_the_dispute(
    chain: Chain, batch: Committed, challenger: bytes
) -> None:
    chain.send(challenger, "demand", batch.batch.abi(), batch.stamp.pack(), 0, False)

    assert batch.status().state is State.UNKNOWN


def test_request_digest__any_leaf__is_the_librarys(chain: Chain, batch: Committed) -> None:
    inference = batch.inferences[2]

    digest = chain.registry.read(
        "requestDigest", inference.model_id, inference.operator, inference.abi_leaf()
    )

    assert digest == inference.request().digest(chain.registry.domain)


def test_totals__two_slots__cost_two_cold_reads(
    chain: Chain, network: Network, operator: bytes
) -> None:
    network.commit(operator)
    call = chain.registry.call("totals", network.id)
    to = checksummed(chain.registry.address)
    used = chain.w3.eth.estimate_gas({"to": to, "data": "0x" + call.data.hex(), "gas": GAS})

    assert used < 21_000 + 2 * 2_100 + 3_200
