"""Calls that are made again, and those that must not be."""

import json
from typing import Any

import pytest
import requests
from eth_account import Account
from web3 import Web3
from web3.exceptions import Web3Exception, Web3RPCError
from web3.providers import BaseProvider

from tallystick.chain.call import Call
from tallystick.chain.revert import ContractError
from tallystick.chain.rpc import persistent
from tallystick.chain.rpc.persistent import ATTEMPTS, Persistent, persist
from tallystick.chain.sender import estimate
from tallystick.protocol.keccak import keccak256

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
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each pause; none is waited for."""
    found: list[float] = []
    monkeypatch.setattr(persistent.time, "sleep", found.append)
    return found


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
        error(-32601, "the method does not exist"),
    ],
)
def test_call__refused__not_asked_again(refusal: Any) -> None:
    provider = Scripted(refusal)
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)

    assert ask("eth_estimateGas", [{}])["error"] == refusal["error"]
    assert provider.asked == 1


REVERT = "0xe58369d1" + "00" * 31 + "05" + "00" * 31 + "09"


@pytest.mark.parametrize(
    "told",
    [
        {"code": 3, "message": "execution reverted", "data": REVERT},
        {"code": -32000, "message": "VM execution error", "data": {"data": REVERT}},
        {"code": -32015, "message": "VM execution error.", "data": f"Reverted {REVERT}"},
        {"code": -32603, "message": "x", "data": {"originalError": {"code": 3, "data": REVERT}}},
        {"code": -32603, "message": "x", "data": {"0x" + "ab" * 32: {"return": REVERT}}},
        {"code": -32000, "message": "rpc", "data": {"error": {"cause": {"result": REVERT}}}},
        {"code": -32000, "message": "rpc", "data": [{"output": REVERT}]},
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_estimate__revert_data_however_nested__is_the_contract_s_refusal(
    told: Any, wrapped: bool
) -> None:
    w3 = Web3(Scripted({"error": told}))

    with pytest.raises(ContractError, match=r"TooEarly\(timestamp=5, from=9\)"):
        estimate(persist(w3) if wrapped else w3, b"a" * 20, Call(b"b" * 20, b""))


@pytest.mark.parametrize(
    "answer",
    [
        error(-32602, "invalid params"),
        {"error": "this key is disabled", "code": 7},
        {"message": "project is suspended"},
    ],
)
def test_read__refused_for_good__one_plain_line_and_asked_once(answer: Any) -> None:
    provider = Scripted(answer)

    with pytest.raises(Web3Exception) as raised:
        _ = persist(Web3(provider)).eth.block_number
    assert provider.asked == 1
    assert "{" not in str(raised.value) and "the node refuses" in str(raised.value)


def refused_by_http(status: int, headers: dict[str, str], body: bytes = b"") -> Exception:
    response = requests.Response()
    response.status_code, response._content = status, body
    response.headers.update(headers)
    return requests.HTTPError("failed for url: http://node/SECRET", response=response)


def test_read__rate_limit__waits_as_long_as_it_is_told(slept: list[float]) -> None:
    limited = refused_by_http(429, {"Retry-After": "3"})
    provider = Scripted(limited, limited, {"result": "0x10"})

    assert persist(Web3(provider)).eth.block_number == 16
    assert slept == [3.0, 3.0]


def test_read__rate_limit_for_ever__gives_up_with_its_words_and_no_key(slept: list[float]) -> None:
    provider = Scripted(refused_by_http(429, {"Retry-After": "700"}, b"slow down"))

    with pytest.raises(OSError, match="HTTP 429: slow down") as raised:
        _ = persist(Web3(provider)).eth.block_number
    assert slept == [] and "SECRET" not in str(raised.value)


def test_read__http_500_with_an_answer_in_it__the_contract_s_refusal() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "data": REVERT}}).encode()
    w3 = persist(Web3(Scripted(refused_by_http(500, {}, body))))

    with pytest.raises(ContractError, match="TooEarly"):
        estimate(w3, b"a" * 20, Call(b"b" * 20, b""))


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

    with pytest.raises(Web3RPCError, match="nonce too low"):
        ask("eth_sendRawTransaction", ["0x" + RAW.hex()])


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


# A pool of nodes, one of them a block behind

LOG = {
    "transactionHash": HASH,
    "logIndex": "0x0",
    "blockNumber": "0x10",
    "address": "0x" + "11" * 20,
    "topics": ["0x" + "22" * 32],
}
RECEIPT = {"transactionHash": HASH, "blockNumber": "0x10", "logs": [LOG]}


def seen(*answers: Any) -> tuple[Any, Scripted]:
    """A connection that has seen a receipt of block 16, and what is answered next."""
    provider = Scripted({"result": RECEIPT}, *answers)
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)
    ask("eth_getTransactionReceipt", [HASH])
    return ask, provider


def query(**more: Any) -> dict[str, Any]:
    return {"fromBlock": "0x1", "toBlock": "0x20", **more}


@pytest.mark.parametrize(
    ("method", "params", "early", "late"),
    [
        ("eth_blockNumber", [], "0xf", "0x10"),
        ("eth_getBlockByNumber", ["latest", False], {"number": "0xf"}, {"number": "0x11"}),
        ("eth_getBlockByNumber", ["0x10", False], None, {"number": "0x10"}),
        ("eth_getLogs", [query()], [], [LOG]),
        ("eth_getLogs", [query(topics=[["0x" + "22" * 32]])], [], [LOG]),
    ],
)
def test_read__from_before_a_receipt__asked_until_it_is_covered(
    method: str, params: list[Any], early: Any, late: Any
) -> None:
    ask, provider = seen({"result": early}, {"result": early}, {"result": late})

    assert ask(method, params)["result"] == late
    assert provider.asked == 4


@pytest.mark.parametrize(
    "wanted",
    [
        query(toBlock="0xf"),
        query(fromBlock="0x11"),
        query(address="0x" + "33" * 20),
        query(topics=["0x" + "33" * 32]),
        query(topics=[None, "0x" + "22" * 32]),
    ],
)
def test_logs__receipt_s_are_not_asked_for__may_be_missing(wanted: dict[str, Any]) -> None:
    ask, provider = seen({"result": []})

    assert ask("eth_getLogs", [wanted])["result"] == []
    assert provider.asked == 2


def test_read__receipt_s_block_is_gone_for_good__taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Persistent, "patience", 0.0)
    ask, provider = seen({"result": "0xf"})

    assert [ask("eth_blockNumber", [])["result"] for _ in range(2)] == ["0xf", "0xf"]
    assert provider.asked == 3


@pytest.mark.parametrize(
    ("method", "params"),
    [("eth_call", [{}, "0x10"]), ("eth_getLogs", [query(toBlock="0x10")])],
)
def test_read__node_lacks_a_block_that_another_told_of__waits(
    method: str, params: list[Any], slept: list[float]
) -> None:
    early = error(-32000, "header not found")
    provider = Scripted({"result": "0x10"}, *[early] * 8, {"result": []})
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)
    ask("eth_blockNumber", [])

    assert ask(method, params)["result"] == []
    assert slept == [0.5] * 8


def test_read__block_that_nobody_told_of__does_not_wait_long(slept: list[float]) -> None:
    provider = Scripted({"result": "0x10"}, error(-32000, "header not found"))
    ask = Persistent(Web3(provider)).wrap_make_request(provider.make_request)
    ask("eth_blockNumber", [])

    with pytest.raises(Web3RPCError, match="header not found"):
        ask("eth_call", [{}, "0x99"])
    assert sum(slept) < 2
