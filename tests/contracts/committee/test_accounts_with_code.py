"""A signature cannot be taken back: code at a key's address, now or later, says nothing.

A wallet whose code says yes once (ERC-1271), or an account that borrows such code by EIP-7702 for
one transaction, would sign a false audit and keep its stake.
"""

import pytest
from eth_account import Account

from tallystick.protocol.enums import Grade
from tallystick.protocol.signature import account_of
from tests.contracts.committee.acts import attest, disprove, drawn_of, network_of
from tests.support.chain import Chain, reverts
from tests.support.committee import KEYS, MIN_STAKE, Committee, found
from tests.support.story import Committed

NOBODY = "0x" + "00" * 20


def delegate(chain: Chain, key: bytes, to: str) -> bytes:
    """Set an account's code by a transaction of its own (EIP-7702); return the code."""
    account = Account.from_key(key)
    chain.w3.provider.make_request("anvil_setBalance", [account.address, hex(10**20)])
    nonce = chain.w3.eth.get_transaction_count(account.address)
    chain_id = chain.w3.eth.chain_id
    allowed = account.sign_authorization({"chainId": chain_id, "address": to, "nonce": nonce + 1})
    fields = {
        "type": 4,
        "chainId": chain_id,
        "nonce": nonce,
        # Not to itself: its new code would run.
        "to": chain.w3.eth.accounts[9],
        "value": 0,
        "gas": 100_000,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 1,
        "data": b"",
        "authorizationList": [allowed],
    }
    sent = chain.w3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
    assert chain.w3.eth.wait_for_transaction_receipt(sent)["status"] == 1
    return bytes(chain.w3.eth.get_code(account.address))


@pytest.fixture
def committee(chain: Chain, judge: Committee) -> Committee:
    """One of two, by accounts' keys."""
    return found(chain, threshold=1, members=2, arbiter=judge.address)


@pytest.fixture
def batch(
    chain: Chain, network_owner: bytes, operator: bytes, committee: Committee, judge: Committee
) -> Committed:
    network = network_of(chain, network_owner, committee, judge.address)
    network.join(operator)
    return network.commit(operator, count=40)


@pytest.mark.parametrize("signature", [b"", b"\0", bytes(65)], ids=len)
def test_account_with_code_that_says_yes__has_not_signed(
    chain: Chain, batch: Committed, committee: Committee, signature: bytes
) -> None:
    wallet = chain.deploy("YesWallet")
    code = delegate(chain, KEYS[0], wallet.address)
    assert code == bytes.fromhex("ef0100" + wallet.address[2:])

    with reverts("SignatureInvalid", place=0):
        attest(chain, batch, committee.audit(batch).evidence({0: signature}))


def test_account_with_code__signs_by_its_key_and_is_convicted(
    chain: Chain, batch: Committed, committee: Committee, judge: Committee
) -> None:
    """With code, without it, and with other code: a signature is worth the same."""
    wallet = chain.deploy("YesWallet")
    delegate(chain, KEYS[0], wallet.address)
    audit = committee.audit(batch)
    signatures = committee.signed(audit, [0])
    attest(chain, batch, audit.evidence(signatures))
    assert batch.status().grade is Grade.AUDITED
    assert delegate(chain, KEYS[0], NOBODY) == b""
    disprove(chain, batch, judge, drawn_of(audit, batch)[0])
    refusing = chain.deploy("HostileResolver", 0, NOBODY, b"")
    assert delegate(chain, KEYS[0], refusing.address)

    committee.convict(batch, audit, signatures)

    assert committee.stakes() == [0, MIN_STAKE]


def test_wallet_as_a_key__never_signs(
    chain: Chain, network_owner: bytes, operator: bytes, judge: Committee
) -> None:
    """20 bytes are a key's address: of a contract nobody has the key."""
    wallet = chain.deploy("YesWallet")
    keys = [bytes.fromhex(wallet.address[2:]), account_of(KEYS[1])]
    committee = found(chain, threshold=1, members=2, keys=keys, arbiter=judge.address)
    network = network_of(chain, network_owner, committee, judge.address, salt=6)
    network.join(operator)
    batch = network.commit(operator, count=40)
    audit = committee.audit(batch)

    for signature in (b"", b"\1", *committee.signed(audit, [0]).values()):
        with reverts("SignatureInvalid", place=0):
            attest(chain, batch, audit.evidence({0: signature}))
    attest(chain, batch, committee.evidence(audit, [1]))

    assert batch.status().grade is Grade.AUDITED
