"""Senders: a transaction is noted before it is sent, found again, and sent once in effect."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.actions.sent import SentJournal
from tallystick.chain import sender as sender_module
from tallystick.chain.call import Call
from tallystick.chain.localnet import MNEMONIC
from tallystick.chain.revert import ContractError
from tallystick.chain.rpc.persistent import connect
from tallystick.chain.sender import SignerSender, Web3Sender, estimate
from tallystick.errors import WaitError
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, faulty_rpc, never

Account.enable_unaudited_hdwallet_features()
OWNER = Account.from_mnemonic(MNEMONIC, account_path="m/44'/60'/0'/0/7")


class Killed(BaseException):
    """The process is gone: nothing catches it."""


@pytest.fixture
def journal(tmp_path: Path) -> SentJournal:
    return SentJournal(tmp_path / "sent.sqlite3")


@pytest.fixture
def w3(chain: Chain) -> Web3:
    return connect(url(chain), 10.0)


@pytest.fixture
def sender(w3: Web3, journal: SentJournal) -> Web3Sender:
    return Web3Sender(w3, OWNER, journal)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_LOOK_EVERY", 0.1)


def url(chain: Chain) -> str:
    return str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def ask(chain: Chain, method: str, *params: Any) -> Any:
    return chain.w3.provider.make_request(method, list(params)).get("result")  # type: ignore[arg-type]


@contextmanager
def no_mining(chain: Chain) -> Iterator[None]:
    ask(chain, "evm_setAutomine", False)
    try:
        yield
    finally:
        ask(chain, "anvil_dropAllTransactions")
        ask(chain, "evm_setAutomine", True)


def pool(chain: Chain) -> int:
    found = ask(chain, "txpool_status")
    return int(found["pending"], 16) + int(found["queued"], 16)


def used(chain: Chain) -> int:
    return chain.w3.eth.get_transaction_count(OWNER.address)


def deposit(chain: Chain, value: int = 5) -> Call:
    return chain.registry.call("deposit", bytes(20), value, value=value)


def credit(chain: Chain) -> int:
    return chain.registry.credit(bytes(20), bytes.fromhex(OWNER.address[2:]))


def kill_while_it_waits(
    sender: SignerSender, call: Call, monkeypatch: pytest.MonkeyPatch, at: str = "_mined"
) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SignerSender, at, killed)
        with pytest.raises(Killed):
            sender.send(call)


@contextmanager
def mined_once(chain: Chain, when: Callable[[], bool]) -> Iterator[None]:
    """Mine a block when something holds, while what follows runs."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if when():
                ask(chain, "evm_mine")
                return
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_send__killed_while_it_waits__the_same_one_is_waited_for(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = used(chain)
    with no_mining(chain):
        kill_while_it_waits(sender, deposit(chain), monkeypatch)
        looks: list[int] = []
        with mined_once(chain, lambda: looks.append(pool(chain)) or len(looks) > 10):
            sent = sender.send(deposit(chain))

    assert sent.earlier and set(looks) == {1}
    assert (used(chain), credit(chain)) == (before + 1, 5)


def test_send__killed_and_mined_meanwhile__nothing_is_sent_again(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_it_waits(sender, deposit(chain), monkeypatch)
    assert credit(chain) == 5

    assert sender.send(deposit(chain)).earlier
    assert credit(chain) == 5
    assert not sender.send(deposit(chain)).earlier
    assert credit(chain) == 10


def test_send__killed_before_it_was_sent__is_sent_once(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_it_waits(sender, deposit(chain), monkeypatch, at="_broadcast")
    assert credit(chain) == 0

    assert sender.send(deposit(chain)).earlier
    assert credit(chain) == 5


def test_send__dropped_by_the_pool__sent_again(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_mining(chain):
        kill_while_it_waits(sender, deposit(chain), monkeypatch)
        ask(chain, "anvil_dropAllTransactions")
        assert pool(chain) == 0
        with mined_once(chain, lambda: pool(chain) == 1):
            sender.send(deposit(chain))

    assert credit(chain) == 5


def test_send__fee_too_low_for_the_next_block__is_replaced(
    chain: Chain, sender: Web3Sender, journal: SentJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_mining(chain):
        kill_while_it_waits(sender, deposit(chain), monkeypatch)
        (before,) = journal.waiting(sender._purpose(deposit(chain)))
        dearer = hex(before.fees.most * 3)
        ask(chain, "anvil_setNextBlockBaseFeePerGas", dearer)

        def replaced() -> bool:
            return len(journal.waiting(before.purpose)) > 1 and pool(chain) == 1

        with mined_once(chain, replaced):
            sent = sender.send(deposit(chain))

    mined = chain.w3.eth.get_transaction(sent.tx_hash)  # type: ignore[arg-type]
    assert mined["nonce"] == before.nonce and sent.tx_hash != before.tx_hash
    assert mined["maxFeePerGas"] * 8 >= before.fees.most * 9
    assert credit(chain) == 5


def test_send__left_out_of_three_blocks__more_is_offered(
    chain: Chain, sender: Web3Sender, journal: SentJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights = iter(range(100, 10_000, 3))
    monkeypatch.setattr(sender_module, "base_fee", lambda w3: 0)
    with no_mining(chain):
        kill_while_it_waits(sender, deposit(chain), monkeypatch)
        (before,) = journal.waiting(sender._purpose(deposit(chain)))
        looked = sender._is_left_out
        monkeypatch.setattr(
            SignerSender, "_is_left_out", lambda self, signed, _: looked(signed, next(heights))
        )
        with mined_once(chain, lambda: len(journal.waiting(before.purpose)) > 1):
            sender.send(deposit(chain))

    assert credit(chain) == 5


def test_send__another_transaction_took_the_nonce__sent_with_the_next(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_mining(chain):
        kill_while_it_waits(sender, deposit(chain), monkeypatch)
        ask(chain, "anvil_dropAllTransactions")
    Web3Sender(chain.w3, OWNER).send(deposit(chain, 70))

    assert not sender.send(deposit(chain)).earlier
    assert credit(chain) == 75


def test_send__unmined__says_which_and_that_it_can_be_run_again(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "PATIENCE", 0.3)
    with no_mining(chain):
        with pytest.raises(WaitError, match="no block holds deposit yet, transaction 0x.* again"):
            sender.send(deposit(chain))
        with pytest.raises(WaitError, match="behind 1 others of the account"):
            sender.send(deposit(chain, 6))
        assert pool(chain) == 2
        assert sender.simulate(deposit(chain)) > 0
        assert pool(chain) == 2


def test_send__refused_for_good__is_not_noted(chain: Chain, journal: SentJournal, w3: Web3) -> None:
    poor = Web3Sender(w3, Account.create(), journal)
    call = Call(b"\1" * 20, b"")

    with pytest.raises(Web3Exception, match="(?i)funds") as raised:
        poor.send(call)
    assert "{" not in str(raised.value)
    assert not journal.waiting(poor._purpose(call))


def test_send__another_place_of_the_same_purpose__sent_once(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (replace(deposit(chain, n), purpose=b"p" * 32) for n in (5, 6))
    kill_while_it_waits(sender, first, monkeypatch)

    assert sender.send(second).earlier
    assert credit(chain) == 5


def test_send__noted_on_another_chain_of_the_same_id__sent_here(
    chain: Chain, sender: Web3Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_while_it_waits(sender, deposit(chain), monkeypatch)
    sender._chain = b"another genesis block's hash...."

    assert not sender.send(deposit(chain)).earlier
    assert credit(chain) == 10


KNOWN = ("already known", "transaction already imported", "ALREADY_EXISTS: already in mempool")


@pytest.mark.parametrize("words", [*KNOWN, "nonce too low", "replacement transaction underpriced"])
def test_send__node_has_it_and_refuses_it__is_waited_for(
    chain: Chain, journal: SentJournal, words: str
) -> None:
    def known(exchange: Exchange) -> bool:
        if exchange.method != "eth_sendRawTransaction":
            return False
        exchange.refuse(-32000, words)
        return True

    with faulty_rpc(url(chain), known) as proxy:
        Web3Sender(connect(proxy.url, 10.0), OWNER, journal).send(deposit(chain))

    assert credit(chain) == 5


def test_send__nonce_from_a_node_that_is_behind__taken_anew(
    chain: Chain, journal: SentJournal
) -> None:
    Web3Sender(chain.w3, OWNER).send(deposit(chain, 70))
    behind = [1]

    def early(exchange: Exchange) -> bool:
        wanted = exchange.method == "eth_getTransactionCount" and behind
        if not wanted or exchange.request["params"][1] != "pending":
            return False
        exchange.answer["result"] = hex(int(exchange.answer["result"], 16) - behind.pop())
        return True

    with faulty_rpc(url(chain), early) as proxy:
        Web3Sender(connect(proxy.url, 10.0), OWNER, journal).send(deposit(chain))

    assert credit(chain) == 75


@pytest.mark.parametrize("kind", ["null", "refused", "not supported"])
def test_estimate__no_pending_block__by_the_latest(chain: Chain, kind: str) -> None:
    def no_pending(exchange: Exchange) -> bool:
        if "pending" not in exchange.request["params"]:
            return False
        if exchange.method == "eth_getTransactionCount":
            return False
        if kind == "null" and exchange.method == "eth_getBlockByNumber":
            exchange.answer["result"] = None
        else:
            exchange.refuse(-32602 if kind == "refused" else -32000, "pending block is " + kind)
        return True

    with faulty_rpc(url(chain), no_pending) as proxy:
        sent = Web3Sender(connect(proxy.url, 10.0), OWNER).send(deposit(chain))

    assert sent.block_number == chain.w3.eth.block_number


def test_estimate__time_has_come_on_an_idle_chain__is_as_of_the_pending_block(
    chain: Chain, w3: Web3
) -> None:
    # Code that reverts before a time: PUSH4 time, TIMESTAMP, LT, PUSH1 10, JUMPI, STOP, and at 10
    # JUMPDEST, PUSH0, PUSH0, REVERT.
    when = chain.now + 3
    gate = b"\x67" * 20
    code = f"0x63{when:08x}4210600a57005b5f5ffd"
    ask(chain, "anvil_setCode", "0x" + gate.hex(), code)
    with pytest.raises((ContractError, Web3Exception)):
        w3.eth.call({"to": Web3.to_checksum_address(gate)}, "latest")

    ask(chain, "evm_increaseTime", 10)

    assert estimate(w3, chain.accounts[0], Call(gate, b"")) > 21000
    assert chain.now < when


def test_faultless_proxy__deposit__is_sent(chain: Chain) -> None:
    with faulty_rpc(url(chain), never) as proxy:
        Web3Sender(connect(proxy.url, 10.0), OWNER).send(deposit(chain))
    assert credit(chain) == 5
