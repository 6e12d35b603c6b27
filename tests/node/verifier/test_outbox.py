"""Each move once: crashes before and after a transaction is out, nonces taken, gas too dear."""

from dataclasses import replace

import pytest
from web3 import Web3

from tallystick.chain.fees import GasPrice
from tallystick.chain.sender import Web3Sender
from tallystick.node.verifier.journal import Move, MoveStatus
from tallystick.node.verifier.outbox import Intent, Outbox, SendResult
from tallystick.node.verifier.verifier import Verifier
from tests.node.verifier.stage import VERIFIERS, Stage, account, mined

KEY = b"b" * 32


@pytest.fixture
def verifier(staged: Stage) -> Verifier:
    return staged.verifier()


def deposit(verifier: Verifier, amount: int = 5) -> Intent:
    """A call that works at any time."""
    call = verifier.watch.registry.call("deposit", "0x" + "00" * 20, amount, value=amount)
    return Intent(KEY, call)


def status(verifier: Verifier) -> list[MoveStatus]:
    return [move.status for move in verifier.journal.moves(KEY, "deposit")]


def test_send__again__made_already(verifier: Verifier, staged: Stage) -> None:
    before = staged.sent(VERIFIERS[0])
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.SENT
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.MADE
    mined(verifier)
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.MADE
    assert status(verifier) == [MoveStatus.MINED]
    assert staged.sent(VERIFIERS[0]) == before + 1


def test_send__another_turn__made_too(verifier: Verifier) -> None:
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.SENT
    assert verifier.outbox.send(replace(deposit(verifier), turn=1), 1000) is SendResult.SENT


def test_send__claims_of_two_assets__each_once(verifier: Verifier) -> None:
    coin = replace(deposit(verifier), batch_id=None)
    token = replace(coin, asset=b"t" * 20)

    results = [verifier.outbox.send(one, 1000) for one in (coin, token, coin, token)]

    assert results == [SendResult.SENT] * 2 + [SendResult.MADE] * 2
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.SENT


@pytest.mark.parametrize("after", [False, True])
def test_send__dies_around_the_broadcast__sent_once_by_the_next(
    verifier: Verifier, staged: Stage, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    before = staged.sent(VERIFIERS[0])
    broadcast = Outbox._broadcast

    def dies(self: Outbox, move: Move) -> None:
        if after:
            broadcast(self, move)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_broadcast", dies)
        with pytest.raises(KeyboardInterrupt):
            verifier.outbox.send(deposit(verifier), 1000)
    assert staged.sent(VERIFIERS[0]) == before + after

    born = staged.verifier()
    assert born.outbox.send(deposit(born), 1000) is SendResult.MADE
    mined(born)

    assert staged.sent(VERIFIERS[0]) == before + 1
    assert status(born) == [MoveStatus.MINED]


def test_settle__nonce_taken_by_another__lost_and_made_anew(
    verifier: Verifier, staged: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_broadcast", lambda self, move: None)
        verifier.outbox.send(deposit(verifier), 1000)
    Web3Sender(staged.chain.w3, account(VERIFIERS[0])).send(deposit(verifier, 7).call)

    verifier.outbox.settle()
    assert status(verifier) == [MoveStatus.LOST]
    assert verifier.outbox.send(deposit(verifier), 1000) is SendResult.SENT
    mined(verifier)
    assert status(verifier) == [MoveStatus.LOST, MoveStatus.MINED]


def test_send__several_before_a_block__nonces_in_a_row(verifier: Verifier, staged: Stage) -> None:
    w3 = staged.chain.w3
    w3.provider.make_request("evm_setAutomine", [False])  # type: ignore[arg-type]
    try:
        for turn in range(3):
            verifier.outbox.send(replace(deposit(verifier), turn=turn), 1000)
        nonces = [move.nonce for move in verifier.journal.pending()]
        assert nonces == list(range(nonces[0], nonces[0] + 3))
        staged.seeded()
    finally:
        w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
    mined(verifier)
    assert status(verifier) == [MoveStatus.MINED] * 3


def test_settle__gas_became_dearer__outbid_once(verifier: Verifier, staged: Stage) -> None:
    w3 = staged.chain.w3
    w3.provider.make_request("evm_setAutomine", [False])  # type: ignore[arg-type]
    try:
        verifier.outbox.send(deposit(verifier), 1000)
        (first,) = verifier.journal.pending()
        w3.provider.make_request(  # type: ignore[arg-type]
            "anvil_setNextBlockBaseFeePerGas", [hex(20 * 10**9)]
        )
        staged.seeded()
        assert verifier.journal.pending() == [first]
        verifier.outbox.settle()
        assert [move.nonce for move in verifier.journal.pending()] == [first.nonce] * 2
        staged.seeded()
    finally:
        w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
    mined(verifier)

    assert sorted(status(verifier)) == [MoveStatus.LOST, MoveStatus.MINED]


@pytest.mark.parametrize("by_hand", [False, True])
def test_send__by_whichever_sender__same_gas_and_fees(
    verifier: Verifier, staged: Stage, by_hand: bool
) -> None:
    w3, call = staged.chain.w3, deposit(verifier).call
    sender = Web3Sender(w3, account(VERIFIERS[0]))
    asked, estimated = GasPrice.now(w3), sender.simulate(call)

    if by_hand:
        tx_hash = sender.send(call).tx_hash
    else:
        verifier.outbox.send(deposit(verifier), 1000)
        (move,) = verifier.journal.moves(KEY, "deposit")
        tx_hash = move.tx_hash

    found = w3.eth.get_transaction(tx_hash)
    assert found["gas"] == estimated * 6 // 5
    assert found["maxFeePerGas"] == 2 * asked.base + asked.priority
    assert found["maxPriorityFeePerGas"] == asked.priority


def test_send__refused__nothing_noted(verifier: Verifier) -> None:
    call = verifier.watch.registry.call("withdraw", "0x" + "00" * 20, "0x" + "01" * 20, 10**30)
    assert verifier.outbox.send(Intent(KEY, call), 1000) is SendResult.REFUSED
    assert verifier.journal.pending() == []


def test_signer__transaction__is_the_accounts(verifier: Verifier) -> None:
    from eth_account import Account

    verifier.outbox.send(deposit(verifier), 1000)
    (move,) = verifier.journal.moves(KEY, "deposit")
    assert Account.recover_transaction(move.raw) == account(VERIFIERS[0]).address
    assert Web3.keccak(move.raw) == move.tx_hash
