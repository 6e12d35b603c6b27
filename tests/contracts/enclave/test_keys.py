"""EnclaveKeys: only the endorsers' threshold approves, endorses and revokes; nothing is said twice.

endorse: too few, strangers, one twice, of another statement | again | revoked before | no time
approve, revoke: again | after a revocation
"""

import pytest

from tallystick.enclave import Approval, approval_digest, key_revocation_digest, packed
from tallystick.signature import account_of, sign
from tests.support.builds import manifest
from tests.support.chain import reverts
from tests.support.enclave import ENDORSER_KEYS, MEASUREMENT, Endorsed, endorsed
from tests.support.keys import KINDS, held, held_account

OTHER = b"w" * 32


@pytest.fixture
def enclave(chain):
    return endorsed(chain, "Enclave")


def endorsement(enclave, key):
    return enclave.contract.functions.endorsementOf(key.id).call()


@pytest.mark.parametrize("endorsers", [(), (0,), (2,)])
def test_endorse__fewer_than_the_threshold__reverts(enclave, operator, endorsers):
    with reverts("TooFewSigners", threshold=2):
        enclave.endorse(held_account(), operator, endorsers)


@pytest.mark.parametrize("endorsers", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_endorse__threshold_of_endorsers__is_kept(chain, enclave, operator, endorsers):
    key = held_account()

    enclave.endorse(key, operator, endorsers, not_before=5, not_after=2**40 - 1)

    account = chain.w3.to_checksum_address(operator)
    assert endorsement(enclave, key) == (MEASUREMENT, account, 5, 2**40 - 1, False)


def test_endorse__every_statement__is_told_by_its_event(chain, enclave, operator):
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


def send(chain, function):
    return chain.transact(chain.accounts[8], function)


def arguments(chain, statement, signatures):
    named, measurement, operator, *rest = statement.arguments(signatures)
    return named, measurement, chain.w3.to_checksum_address(operator), *rest


def test_endorse__one_endorser_twice__reverts(chain, enclave, operator):
    statement = enclave.statement(held_account(), operator)
    once = packed(enclave.signatures(statement.digest(enclave.domain), (0,)))
    fields = arguments(chain, statement, {})[:-1]

    with reverts("SignersOutOfOrder", place=0):
        send(chain, enclave.contract.functions.endorse(*fields, once + once))


def test_endorse__a_stranger_among_the_signers__reverts(chain, enclave, operator):
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
def test_endorse__what_is_no_key__reverts(chain, enclave, operator, key):
    fields = key, MEASUREMENT, chain.w3.to_checksum_address(operator), 0, 9, b""

    with reverts("KeyInvalid", key=key):
        send(chain, enclave.contract.functions.endorse(*fields))


@pytest.mark.parametrize("field", [1, 2, 3, 4])
def test_endorse__another_statement_than_signed__reverts(chain, enclave, operator, field):
    statement = enclave.statement(held_account(), operator, not_before=5, not_after=9)
    signatures = enclave.signatures(statement.digest(enclave.domain))
    changed = list(arguments(chain, statement, signatures))
    changed[field] = {1: OTHER, 2: enclave.contract.address, 3: 6, 4: 10}[field]

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*changed))


def test_endorse__another_signer_than_signed__reverts(chain, enclave, operator):
    statement = enclave.statement(held_account(), operator)
    signatures = enclave.signatures(statement.digest(enclave.domain))
    changed = (held_account(2).key, *arguments(chain, statement, signatures)[1:])

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*changed))


def test_endorse__signed_for_another_resolver__reverts(chain, enclave, operator):
    other = endorsed(chain, "Enclave")
    statement = enclave.statement(held_account(), operator)
    signatures = other.signatures(statement.digest(other.domain))

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.endorse(*arguments(chain, statement, signatures)))


def test_endorse__again__reverts(enclave, operator, other_operator):
    key = held_account()
    enclave.endorse(key, operator, not_after=9)

    with reverts("EndorsementExists", keyId=key.id):
        enclave.endorse(key, other_operator)


def test_endorse__revoked_before__reverts(enclave, operator):
    key = held_account()
    enclave.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        enclave.endorse(key, operator)


@pytest.mark.parametrize(("not_before", "not_after"), [(0, 0), (6, 5)])
def test_endorse__no_time__reverts(chain, enclave, operator, not_before, not_after):
    statement = enclave.statement(held_account(), operator)
    fields = list(arguments(chain, statement, {}))
    fields[3:5] = not_before, not_after

    with reverts("ValidityEmpty", notBefore=not_before, notAfter=not_after):
        send(chain, enclave.contract.functions.endorse(*fields))


def test_revoke_key__by_too_few__reverts(chain, enclave, operator):
    key = held_account()
    enclave.endorse(key, operator)
    signatures = packed(enclave.signatures(key_revocation_digest(enclave.domain, key.id), (1,)))

    with reverts("TooFewSigners", threshold=2):
        send(chain, enclave.contract.functions.revokeKey(key.id, signatures))

    assert not endorsement(enclave, key)[-1]


def test_revoke_key__again__reverts(enclave):
    key = held_account()
    enclave.revoke_key(key)

    with reverts("KeyWithdrawn", keyId=key.id):
        enclave.revoke_key(key)


def test_approve_measurement__by_too_few__reverts(chain, enclave):
    signatures = packed(enclave.signatures(approval_digest(enclave.domain, OTHER), (2,)))

    with reverts("TooFewSigners", threshold=2):
        send(chain, enclave.contract.functions.approveMeasurement(OTHER, signatures))

    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.NONE


@pytest.mark.parametrize("kind", KINDS)
def test_approve_measurement__one_endorser_of_any_kind__is_approved(chain, kind):
    endorser = held(kind)
    enclave = Endorsed(chain, chain.deploy("Enclave", [endorser.key], 1))
    signature = endorser.sign(approval_digest(enclave.domain, OTHER))

    with reverts("SignatureInvalid", place=0):
        wrong = packed({0: signature[::-1]})
        send(chain, enclave.contract.functions.approveMeasurement(OTHER, wrong))
    good = packed({0: signature})
    send(chain, enclave.contract.functions.approveMeasurement(OTHER, good))

    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.APPROVED


def test_endorsers__any__are_told_by_place(chain, enclave):
    functions = enclave.contract.functions

    assert functions.threshold().call() == 2
    told = [functions.endorserAt(place).call() for place in range(4)]
    assert told == [*(account_of(key) for key in ENDORSER_KEYS), b""]


def test_measurement__approved_or_revoked_again__reverts(enclave):
    with reverts("MeasurementDecided", approval=Approval.APPROVED.name):
        enclave.approve()
    enclave.revoke_measurement()
    with reverts("MeasurementDecided", approval=Approval.REVOKED.name):
        enclave.revoke_measurement()
    with reverts("MeasurementDecided", approval=Approval.REVOKED.name):
        enclave.approve()


def test_measurement__revoked_before_it_is_approved__stays_so(enclave):
    enclave.revoke_measurement(OTHER)

    with reverts("MeasurementDecided", measurement=OTHER, approval=Approval.REVOKED.name):
        enclave.approve(OTHER)
    assert enclave.contract.functions.approvalOf(OTHER).call() == Approval.REVOKED


def test_measurement__signature_of_the_other_statement__reverts(chain, enclave):
    approval = packed(enclave.signatures(approval_digest(enclave.domain, OTHER)))

    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.revokeMeasurement(OTHER, approval))
    with reverts("SignatureInvalid", place=0):
        send(chain, enclave.contract.functions.revokeKey(OTHER, approval))


@pytest.mark.parametrize(("endorsers", "threshold"), [(0, 1), (1, 0), (2, 3), (3, 2**200)])
def test_constructor__threshold_out_of_range__reverts(chain, endorsers, threshold):
    keys = [account_of(key) for key in ENDORSER_KEYS[:endorsers]]

    with reverts("KeysOutOfRange", keys=endorsers, threshold=threshold):
        chain.deploy("Enclave", keys, threshold)


def test_constructor__same_endorser_twice__reverts(chain):
    key = account_of(ENDORSER_KEYS[0])

    with reverts("KeyRepeated", key=key):
        chain.deploy("Enclave", [key, account_of(ENDORSER_KEYS[1]), key], 2)


@pytest.mark.parametrize("name", ["Enclave", "OpenGradientItem"])
def test_abi__every_function__changes_nothing_without_signatures(name):
    """Whatever changes state takes the endorsers' signatures, or is a claim of the sender's own."""
    changing = {
        entry["name"]: [argument["name"] for argument in entry["inputs"]]
        for entry in manifest()[name]["abi"]
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    claims = changing.pop("claim", None)

    assert claims in (None, ["item", "batchId"])
    assert all(arguments[-1] == "signatures" for arguments in changing.values())
