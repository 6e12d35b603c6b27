"""EnclaveKeys: only the endorsers' threshold approves, endorses and revokes; nothing is said twice.

endorse: too few, strangers, one twice, of another statement | again | revoked before | no time
approve, revoke: again | after a revocation
"""

from typing import Any

import pytest
from web3.contract.contract import ContractFunction

from tallystick.protocol.enclave import (
    Approval,
    Endorsement,
    approval_digest,
    key_revocation_digest,
    packed,
)
from tallystick.protocol.signature import account_of, sign
from tests.support.builds import manifest
from tests.support.chain import Chain, Mined, reverts
from tests.support.enclave import ENDORSER_KEYS, MEASUREMENT, Endorsed, endorsed
from tests.support.keys import KINDS, held, held_account

OTHER = b"w" * 32


@pytest.fixture
def enclave(chain: Chain) -> Endorsed:
    return endorsed(chain, "Enclave")


def endorsement(enclave: Endorsed, key: bytes) -> tuple[Any, ...]:
    return enclave.contract.functions.endorsementOf(key.id).call()


@pytest.mark.parametrize("endorsers", [(), (0,), (2,)])
def test_endorse__fewer_than_the_threshold__reverts(
    enclave: Endorsed, operator: bytes, endorsers: tuple[Any, ...]
) -> None:
    with reverts("TooFewSigners", threshold=2):
        enclave.endorse(held_account(), operator, endorsers)


@pytest.mark.parametrize("endorsers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_endorse__threshold_of_endorsers__is_kept(
    chain: Chain, enclave: Endorsed, operator: bytes, endorsers: tuple[Any, ...]
) -> None:
    key = held_account()

    enclave.endorse(key, operator, endorsers, not_before=5, not_after=2**40 - 1)

    account = chain.w3.to_checksum_address(operator)
    assert endorsement(enclave, key) == (MEASUREMENT, account, 5, 2**40 - 1, False)


def test_endorse__every_statement__is_told_by_its_event(
    chain: Chain, enclave: Endorsed, operator: bytes
) -> None:
    key = held_account()
    enclave.endorse(key, operator, not_before=5, not_after=9)
    enclave.revoke_key(key)
    enclave.revoke_measurement()

    events = enclave.contract.events
    (endorsed_log,) = events.KeyEndorsed().get_logs(from_block=0)
    assert dict(endorsed_log["args"]) == {
        "keyId": key.id,
        "measurement": MEASUREMENT,
        "operator": chain.w3.to_checksum_address(operator),
        "notBefore": 5,
        "notAfter": 9,
        "key": key.key,
    }
    (revoked_log,) = events.KeyRevoked().get_logs(from_block=0)
    assert dict(revoked_log["args"]) == {"keyId": key.id}
    for event in (events.MeasurementApproved(), events.MeasurementRevoked()):
        (log,) = event.get_logs(from_block=0)
        assert dict(log["args"]) == {"measurement": MEASUREMENT}


def send(chain: Chain, function: ContractFunction) -> Mined:
    return chain.transact(chain.accounts[8], function)


def arguments(
    chain: Chain, statement: Endorsement, signatures: dict[int, bytes]
) -> tuple[Any, ...]:
    named, measurement, operator, *rest = statement.arguments(signatures)
    return named, measurement, chain.w3.to_checksum_address(operator), *rest


@pytest.mark.parametrize("place", [0, 1, 2])
def test_endorse__one_endorser_twice__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes, place: int
) -> None:
    statement = enclave.statement(held_account(), operator)
    once = packed(enclave.signatures(statement.digest(enclave.domain), (place,)))
    fields = arguments(chain, statement, {})[:-1]

    with reverts("SignersOutOfOrder", place=place):
        send(chain, enclave.contract.functions.endorse(*fields, once + once))


@pytest.mark.parametrize("cut", [1, 64, 65, 66, 67])
def test_endorse__signatures_cut_short__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes, cut: int
) -> None:
    """What lies behind them reads as zeros: a length that is cut off is zero too."""
    statement = enclave.statement(held_account(), operator)
    good = packed(enclave.signatures(statement.digest(enclave.domain)))
    fields = arguments(chain, statement, {})[:-1]

    with reverts("SignaturesCutShort", length=len(good) - cut):
        send(chain, enclave.contract.functions.endorse(*fields, good[:-cut]))


def test_endorse__a_stranger_among_the_signers__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes
) -> None:
    statement = enclave.statement(held_account(), operator)
    digest = statement.digest(enclave.domain)
    good, strange = enclave.signatures(digest, (0,)), sign(digest, b"x" * 32)

    with reverts("SignatureInvalid", place=1):
        forged = arguments(chain, statement, good | {1: strange})
        send(chain, enclave.contract.functions.endorse(*forged))
    with reverts("SignersOutOfOrder", place=3):
        beyond = arguments(chain, statement, good | {3: strange})
        send(chain, enclave.contract.functions.endorse(*beyond))


@pytest.mark.parametrize("key", [b"", bytes(20), b"k" * 64, b"k" * 260, b"k" * 84])
def test_endorse__what_is_no_key__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes, key: bytes
) -> None:
    fields = key, MEASUREMENT, chain.w3.to_checksum_address(operator), 0, 9, b""

    with reverts("KeyInvalid", key=key):
        send(chain, enclave.contract.functions.endorse(*fields))


@pytest.mark.parametrize("field", [1, 2, 3, 4])
def test_endorse__another_statement_than_signed__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes, field: int
) -> None:
    statement = enclave.statement(held_account(), operator, not_before=5, not_after=9)
    signatures = enclave.signatures(statement.digest(enclave.domain))
    changed = list(arguments(chain, statement, signatures))
    changed[field] = {1: OTHER, 2: enclave.contract.address, 3: 6, 4: 10}[field]

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*changed))


def test_endorse__another_signer_than_signed__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes
) -> None:
    statement = enclave.statement(held_account(), operator)
    signatures = enclave.signatures(statement.digest(enclave.domain))
    changed = (held_account(2).key, *arguments(chain, statement, signatures)[1:])

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*changed))


def test_endorse__signed_for_another_resolver__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes
) -> None:
    other = endorsed(chain, "Enclave")
    statement = enclave.statement(held_account(), operator)
    signatures = other.signatures(statement.digest(other.domain))

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*arguments(chain, statement, signatures)))


def test_endorse__again__reverts(enclave: Endorsed, operator: bytes, other_operator: bytes) -> None:
    key = held_account()
    enclave.endorse(key, operator, not_after=9)

    with reverts("EndorsementExists", keyId=key.id):
        enclave.endorse(key, other_operator)


def test_endorse__revoked_before__reverts(enclave: Endorsed, operator: bytes) -> None:
    key = held_account()
    enclave.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        enclave.endorse(key, operator)


@pytest.mark.parametrize(("not_before", "not_after"), [(0, 0), (6, 5)])
def test_endorse__no_time__reverts(
    chain: Chain, enclave: Endorsed, operator: bytes, not_before: int, not_after: int
) -> None:
    statement = enclave.statement(held_account(), operator)
    fields = list(arguments(chain, statement, {}))
    fields[3:5] = not_before, not_after

    with reverts("ValidityEmpty", notBefore=not_before, notAfter=not_after):
        send(chain, enclave.contract.functions.endorse(*fields))


def test_revoke_key__by_too_few__reverts(chain: Chain, enclave: Endorsed, operator: bytes) -> None:
    key = held_account()
    enclave.endorse(key, operator)
    signatures = packed(enclave.signatures(key_revocation_digest(enclave.domain, key.id), (1,)))

    with reverts("TooFewSigners", threshold=2):
        send(chain, enclave.contract.functions.revokeKey(key.id, signatures))

    assert not endorsement(enclave, key)[-1]


def test_revoke_key__again__reverts(enclave: Endorsed) -> None:
    key = held_account()
    enclave.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        enclave.revoke_key(key)


def test_approve_measurement__by_too_few__reverts(chain: Chain, enclave: Endorsed) -> None:
    signatures = packed(enclave.signatures(approval_digest(enclave.domain, OTHER), (2,)))

    with reverts("TooFewSigners", threshold=2):
        send(chain, enclave.contract.functions.approveMeasurement(OTHER, signatures))

    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.NONE


@pytest.mark.parametrize("kind", KINDS)
def test_approve_measurement__one_endorser_of_any_kind__is_approved(
    chain: Chain, kind: str
) -> None:
    endorser = held(kind)
    enclave = Endorsed(chain, chain.deploy("Enclave", [endorser.key], 1))
    signature = endorser.sign(approval_digest(enclave.domain, OTHER))

    with reverts("SignatureInvalid", place=0):
        wrong = packed({0: signature[::-1]})
        send(chain, enclave.contract.functions.approveMeasurement(OTHER, wrong))
    good = packed({0: signature})
    send(chain, enclave.contract.functions.approveMeasurement(OTHER, good))

    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.APPROVED


def test_endorsers__any__are_told_by_place(chain: Chain, enclave: Endorsed) -> None:
    functions = enclave.contract.functions

    assert functions.threshold().call() == 2
    told = [functions.endorserAt(place).call() for place in range(4)]
    assert told == [*(account_of(key) for key in ENDORSER_KEYS), b""]


def test_measurement__approved_or_revoked_again__reverts(enclave: Endorsed) -> None:
    with reverts("MeasurementDecided", approval=Approval.APPROVED.name):
        enclave.approve()
    enclave.revoke_measurement()
    with reverts("MeasurementDecided", approval=Approval.REVOKED.name):
        enclave.revoke_measurement()
    with reverts("MeasurementDecided", approval=Approval.REVOKED.name):
        enclave.approve()


def test_measurement__revoked_before_it_is_approved__stays_so(enclave: Endorsed) -> None:
    enclave.revoke_measurement(OTHER)

    with reverts("MeasurementDecided", measurement=OTHER, approval=Approval.REVOKED.name):
        enclave.approve(OTHER)
    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.REVOKED


def test_measurement__signature_of_the_other_statement__reverts(
    chain: Chain, enclave: Endorsed
) -> None:
    approval = packed(enclave.signatures(approval_digest(enclave.domain, OTHER)))

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.revokeMeasurement(OTHER, approval))
    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.revokeKey(OTHER, approval))


@pytest.mark.parametrize(("endorsers", "threshold"), [(0, 1), (1, 0), (2, 3), (3, 2**200)])
def test_constructor__threshold_out_of_range__reverts(
    chain: Chain, endorsers: int, threshold: int
) -> None:
    keys = [account_of(key) for key in ENDORSER_KEYS[:endorsers]]

    with reverts("KeysOutOfRange", keys=endorsers, threshold=threshold):
        chain.deploy("Enclave", keys, threshold)


def test_constructor__16_endorsers__are_told_by_place_and_17_are_too_many(chain: Chain) -> None:
    keys = [bytes([number]) * 20 for number in range(1, 18)]

    enclave = chain.deploy("Enclave", keys[:16], 16)
    with reverts("KeysOutOfRange", keys=17, threshold=1):
        chain.deploy("Enclave", keys, 1)

    assert [enclave.functions.endorserAt(place).call() for place in range(16)] == keys[:16]


def test_constructor__what_is_no_key__reverts(chain: Chain) -> None:
    for key in (bytes(20), b"k" * 64, b""):
        with reverts("KeyInvalid", key=key):
            chain.deploy("Enclave", [account_of(ENDORSER_KEYS[0]), key], 1)


def test_approve_measurement__each_of_16_endorsers_alone__is_approved(chain: Chain) -> None:
    """A place's signature is checked against that place's key, and no other's."""
    secrets = [bytes([7]) * 31 + bytes([number]) for number in range(1, 17)]
    contract = chain.deploy("Enclave", [account_of(secret) for secret in secrets], 1)
    enclave = Endorsed(chain, contract)

    for place, secret in enumerate(secrets):
        measurement = bytes([place]) * 32
        digest = approval_digest(enclave.domain, measurement)
        other = sign(digest, secrets[place - 1])
        with reverts("SignatureInvalid", place=place):
            forged = packed({place: other})
            send(chain, contract.functions.approveMeasurement(measurement, forged))
        good = packed({place: sign(digest, secret)})
        send(chain, contract.functions.approveMeasurement(measurement, good))

        assert contract.functions.approvalOf(measurement).call() == Approval.APPROVED


def test_constructor__same_endorser_twice__reverts(chain: Chain) -> None:
    key = account_of(ENDORSER_KEYS[0])

    with reverts("KeyRepeated", key=key):
        chain.deploy("Enclave", [key, account_of(ENDORSER_KEYS[1]), key], 2)


@pytest.mark.parametrize("name", ["Enclave", "EnclaveHttp", "OpenGradientItem"])
def test_abi__every_function__changes_nothing_without_signatures(name: str) -> None:
    """Whatever changes state takes the endorsers' signatures, or is a claim of the sender's own."""
    changing = {
        entry["name"]: [argument["name"] for argument in entry["inputs"]]
        for entry in manifest()[name]["abi"]
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    claims = changing.pop("claim", None)

    assert claims in (None, ["item", "batchId"])
    assert all(arguments[-1] == "signatures" for arguments in changing.values())
