"""Calls that are made again, and those that must not be."""

from typing import Any

import pytest
from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3RPCError
from web3.providers import BaseProvider

from tallystick.keccak import keccak256
from tallystick.node import rpc
from tallystick.node.rpc import ATTEMPTS, Persistent, persist

RAW = bytes(
    Account.from_key(b"k" * 32)
    .sign_transaction(
        {"to": "0x" + "11" * 20, "value": 1, "gas": 21000, "gasPrice": 1, "nonce": 0, "chainId": 1}
    )
    .raw_transaction
)
HASH = "0x" + keccak256(RAW).hex()


class Scripted(BaseProvider):
    """Gives one answer after another; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers, self.asked = list(answers), 0

    def make_request(self, method: Any, params: Any) -> Any:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"jsonrpc": "2.0", "id": 1, **answer}


def error(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "FIRST_PAUSE", 0.0)


@pytest.mark.parametrize(
    "failure",
    [
        OSError("reset"),
        ValueError("not JSON"),
        error(-32005, "too many requests"),
        error(429, "slow down"),
        error(-32000, "header not found"),
    ],
)
def test_read__fails_twice__asked_until_it_answers(failure: Any) -> None:
    provider = Scripted(failure, failure, {"result": "0x10"})

    assert persist(Web3(provider)).eth.block_number == 16
    assert provider.asked == 3


def test_read__fails_for_good__gives_up() -> None:
    provider = Scripted(OSError("reset"))

    with pytest.raises(OSError, match="reset"):
        _ = persist(persist(Web3(provider))).eth.block_number
    assert provider.asked == ATTEMPTS


@pytest.mark.parametrize(
    "refusal",
    [
        error(3, "execution reverted", data="0xe58369d1"),
        error(-32000, "execution reverted"),
        error(-32602, "invalid params"),
    ],
)
def test_call__refused__not_asked_again(refusal: Any) -> None:
    provider = Scripted(refusal)
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)

    assert ask("eth_estimateGas", [{}])["error"] == refusal["error"]
    assert provider.asked == 1


@pytest.mark.parametrize("words", ["already known", "nonce too low", "already imported"])
def test_send__answer_lost_and_known_by_then__is_sent(words: str) -> None:
    provider = Scripted(OSError("reset"), error(-32000, words), {"result": {"hash": HASH}})
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)

    assert ask("eth_sendRawTransaction", ["0x" + RAW.hex()])["result"] == HASH
    assert provider.asked == 3


def test_send__answer_lost_and_nonce_used_by_another__refused() -> None:
    low = error(-32000, "nonce too low")
    provider = Scripted(OSError("reset"), low, {"result": None})
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)

    assert ask("eth_sendRawTransaction", ["0x" + RAW.hex()])["error"] == low["error"]


@pytest.mark.parametrize("words", ["transaction already imported", "nonce too low"])
def test_send__known_at_the_first_answer__is_sent(words: str) -> None:
    # web3's own provider sends again when HTTP fails, before anybody hears of it.
    provider = Scripted(error(-32003, words), {"result": {"hash": HASH}})

    assert persist(Web3(provider)).eth.send_raw_transaction(RAW).to_0x_hex() == HASH
    assert provider.asked == 2


def test_send__nonce_too_low_at_once__is_another_transaction_s() -> None:
    provider = Scripted(error(-32003, "nonce too low"), {"result": None})

    with pytest.raises(Web3RPCError, match="nonce too low"):
        persist(Web3(provider)).eth.send_raw_transaction(RAW)
    assert provider.asked == 2
