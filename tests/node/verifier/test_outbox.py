"""Each move once: crashes before and after a transaction is out, nonces taken, gas too dear."""

import pytest
from web3 import Web3

from tallystick.chain.sender import Web3Sender
from tallystick.node.verifier.journal import Move, MoveStatus
from tallystick.node.verifier.outbox import Intent, Outbox, Outcome
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


def test_send__again__made_already(verifier: Verifier, staged: Stage):
    before = staged.sent(VERIFIERS[0])
    assert verifier.outbox.send(deposit(verifier), 1000) is Outcome.SENT
    assert verifier.outbox.send(deposit(verifier), 1000) is Outcome.MADE
    mined(verifier)
    assert verifier.outbox.send(deposit(verifier), 1000) is Outcome.MADE
    assert status(verifier) == [MoveStatus.MINED]
    assert staged.sent(VERIFIERS[0]) == before + 1


def test_send__another_turn__made_too(verifier: Verifier):
    from dataclasses import replace

    assert verifier.outbox.send(deposit(verifier), 1000) is Outcome.SENT
    assert verifier.outbox.send(replace(deposit(verifier), turn=1), 1000) is Outcome.SENT


@pytest.mark.parametrize("after", [False, True])
def test_send__dies_around_the_broadcast__sent_once_by_the_next(
    verifier: Verifier, staged: Stage, monkeypatch: pytest.MonkeyPatch, after: bool
):
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
    assert born.outbox.send(deposit(born), 1000) is Outcome.MADE
    mined(born)

    assert staged.sent(VERIFIERS[0]) == before + 1
    assert status(born) == [MoveStatus.MINED]


def test_settle__nonce_taken_by_another__lost_and_made_anew(
    verifier: Verifier, staged: Stage, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_broadcast", lambda self, move: None)
        verifier.outbox.send(deposit(verifier), 1000)
    Web3Sender(staged.chain.w3, account(VERIFIERS[0])).send(deposit(verifier, 7).call)

    verifier.outbox.settle()
    assert status(verifier) == [MoveStatus.LOST]
    assert verifier.outbox.send(deposit(verifier), 1000) is Outcome.SENT
    mined(verifier)
    assert status(verifier) == [MoveStatus.LOST, MoveStatus.MINED]


def test_send__several_before_a_block__nonces_in_a_row(verifier: Verifier, staged: Stage):
    from dataclasses import replace

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


def test_settle__gas_became_dearer__outbid_once(verifier: Verifier, staged: Stage):
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


def test_send__refused__nothing_noted(verifier: Verifier):
    call = verifier.watch.registry.call("withdraw", "0x" + "00" * 20, "0x" + "01" * 20, 10**30)
    assert verifier.outbox.send(Intent(KEY, call), 1000) is Outcome.REFUSED
    assert verifier.journal.pending() == []


def test_signer__transaction__is_the_accounts(verifier: Verifier):
    from eth_account import Account

    verifier.outbox.send(deposit(verifier), 1000)
    (move,) = verifier.journal.moves(KEY, "deposit")
    assert Account.recover_transaction(move.raw) == account(VERIFIERS[0]).address
    assert Web3.keccak(move.raw) == move.tx_hash
