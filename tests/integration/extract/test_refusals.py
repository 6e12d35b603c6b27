"""What a node refuses is asked for in smaller pieces, in whatever words or shape it refuses."""

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tallystick.chain.rpc.errors import DeniedError, RpcError
from tallystick.errors import FieldError
from tests.integration.extract.conftest import content, run, url_of
from tests.support.chain import Chain
from tests.support.faulty_rpc import Exchange, Fault, FaultyRpc, in_turn, unstamped

Proxy = Callable[[Chain, Fault], FaultyRpc]

AT_MOST = 5
"""Blocks of a range that the node answers for."""


def heavy(how: Callable[[Exchange], None]) -> Fault:
    def fault(exchange: Exchange) -> bool:
        if exchange.span > AT_MOST:
            how(exchange)
        return exchange.span > AT_MOST

    return fault


def error(said: Any) -> Callable[[Exchange], None]:
    def how(exchange: Exchange) -> None:
        exchange.answer = {"jsonrpc": "2.0", "id": exchange.request["id"], "error": said}

    return how


def page(status: int, text: str = "<html><h1>proxy</h1></html>") -> Callable[[Exchange], None]:
    def how(exchange: Exchange) -> None:
        exchange.status, exchange.content = status, text.encode()

    return how


def short(exchange: Exchange) -> None:
    exchange.content = json.dumps(exchange.answer).encode()[:-40]


def slow(exchange: Exchange) -> None:
    exchange.hang = 0.7


def cut(exchange: Exchange) -> None:
    exchange.cut = 40


def empty(exchange: Exchange) -> None:
    exchange.content = b""


def null(exchange: Exchange) -> None:
    exchange.answer["result"] = None


HEAVY = {
    "context deadline exceeded": error({"code": -32000, "message": "context deadline exceeded"}),
    "internal error": error({"code": -32603, "message": "internal error"}),
    "unheard of": error({"code": -32099, "message": "no"}),
    "no reason": error({"code": -32602}),
    "HTTP 400": page(400, "no"),
    "HTTP 500": page(500, ""),
    "HTTP 502": page(502),
    "HTTP 504": page(504, ""),
    "HTTP 524": page(524),
    "HTTP 200": page(200),
    "short": short,
    "slow": slow,
    "cut off": cut,
    "empty": empty,
    "null": null,
    "error as text": error("block range too large, at most 20"),
    "code as text": error({"code": "-32005", "message": "query returned more than 10000 results"}),
    "message null": error({"code": -32005, "message": None, "data": "range too large, at most 5"}),
    "error as list": error(["something"]),
}


@pytest.mark.parametrize("how", HEAVY.values(), ids=HEAVY.keys())
def test_extract__ranges_fail_in_whatever_words__are_halved(
    history: Chain,
    clean: dict[str, str],
    proxy: Proxy,
    tmp_path: Path,
    how: Callable[[Exchange], None],
) -> None:
    rpc = proxy(history, heavy(how))

    run(tmp_path, history, rpc.url)

    assert rpc.faulted["eth_getLogs"] >= 2
    # Remembered: not every range is tried whole.
    assert rpc.calls["eth_getLogs"] < 90
    assert content(tmp_path) == clean


def test_extract__key_is_refused__is_not_asked_again(
    history: Chain, proxy: Proxy, tmp_path: Path
) -> None:
    def gateway(exchange: Exchange) -> bool:
        exchange.content = b'{"message": "this key is disabled"}'
        return True

    rpc = proxy(history, gateway)

    with pytest.raises(DeniedError, match="this key is disabled"):
        run(tmp_path, history, rpc.url)

    assert rpc.calls.total() == 1


def test_extract__logs_are_denied__other_nodes_are_asked_and_no_range_is_halved(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    denied = error({"code": -32601, "message": "the method is not available"})
    rpc = proxy(history, lambda exchange: bool(exchange.span and denied(exchange) is None))

    run(tmp_path, history, rpc.url, url_of(history), concurrency=1)

    # After the first range the node that works is asked first.
    assert rpc.calls["eth_getLogs"] == 1
    assert content(tmp_path) == clean


def over(count: int, status: int, said: Any) -> Fault:
    """Batches of more than so many calls are refused as a whole."""

    def fault(exchange: Exchange) -> bool:
        unstamped(exchange)
        if not isinstance(exchange.request, list) or len(exchange.request) <= count:
            return False
        exchange.status = status
        exchange.content = json.dumps(said).encode()
        return True

    return fault


REFUSED = {"jsonrpc": "2.0", "id": None, "error": {"code": 31, "message": "at most 3 on this plan"}}


@pytest.mark.parametrize("said", [REFUSED, {"message": "batches are not allowed"}, "no", []])
@pytest.mark.parametrize("status", [200, 400, 403, 413, 429, 500, 503])
def test_extract__batches_are_refused__are_halved(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path, status: int, said: Any
) -> None:
    rpc = proxy(history, over(3, status, said))

    run(tmp_path, history, rpc.url)

    assert rpc.faulted.total() >= 1
    assert content(tmp_path) == clean


def test_extract__one_answer_of_a_batch_fails__the_others_are_kept(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    asked: list[int] = []

    def fault(exchange: Exchange) -> bool:
        unstamped(exchange)
        if not isinstance(exchange.request, list):
            return False
        asked.append(len(exchange.request))
        busy = {"code": -32603, "message": "internal error"}
        exchange.answer[0] = {"jsonrpc": "2.0", "id": exchange.answer[0]["id"], "error": busy}
        return True

    run(tmp_path, history, proxy(history, fault).url, concurrency=1)

    # What a batch lacks is asked for alone, and what it has is not asked for again.
    assert asked[0] >= 3
    assert asked.count(asked[0]) < len(asked) / 2 or max(asked[1:]) < asked[0]
    assert content(tmp_path) == clean


def as_text(one: Any) -> Any:
    return str(one)


def lost(one: Any) -> Any:
    return None


def swapped(one: Any) -> Any:
    return int(one) ^ 1


@pytest.mark.parametrize("change", [as_text, lost, float])
def test_extract__ids_of_answers_are_odd__same_files(
    history: Chain,
    clean: dict[str, str],
    proxy: Proxy,
    tmp_path: Path,
    change: Callable[[Any], Any],
) -> None:
    def fault(exchange: Exchange) -> bool:
        unstamped(exchange)
        for _, answer in exchange.calls:
            answer["id"] = change(answer["id"])
        return True

    run(tmp_path, history, proxy(history, fault).url)

    assert content(tmp_path) == clean


def wait_until(when: float) -> str:
    return formatdate(when, usegmt=True)


def wait_for(when: float) -> str:
    return f"{max(0.0, when - time.time()):.2f}"


@pytest.mark.parametrize("form", [wait_until, wait_for])
def test_extract__retry_after__is_kept(
    history: Chain, proxy: Proxy, tmp_path: Path, form: Callable[[float], str]
) -> None:
    until, asked = time.time() + 3, 0

    def limited(exchange: Exchange) -> bool:
        nonlocal asked
        asked += 1
        if time.time() > until - 1:
            return False
        exchange.status, exchange.content = 429, b""
        exchange.headers["Retry-After"] = form(until)
        return True

    rpc = proxy(history, limited)

    run(tmp_path, history, rpc.url, longest_wait=10)

    assert 1 <= rpc.faulted.total() <= 3


def test_extract__user_and_password__are_sent_and_not_shown(
    history: Chain, clean: dict[str, str], proxy: Proxy, tmp_path: Path
) -> None:
    def guarded(exchange: Exchange) -> bool:
        if exchange.sent.get("authorization") == "Basic c29tZW9uZTphLXdvcmQ=":
            return False
        exchange.status, exchange.content = 401, b"authorization required"
        return True

    rpc = proxy(history, guarded)
    place = rpc.url.removeprefix("http://")

    run(tmp_path, history, f"http://someone:a-word@{place}\r")
    with pytest.raises(DeniedError, match="authorization required") as caught:
        run(tmp_path, history, f"http://someone:another@{place}")

    assert "another" not in str(caught.value).removesuffix("authorization required")
    assert content(tmp_path) == clean


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_extract__redirect__is_named(
    history: Chain, proxy: Proxy, tmp_path: Path, status: int
) -> None:
    def moved(exchange: Exchange) -> bool:
        exchange.status, exchange.content = status, b""
        exchange.headers["Location"] = "https://rpc.example/a-key"
        return True

    with pytest.raises(RpcError, match="a redirect to https://rpc.example/;") as caught:
        run(tmp_path, history, proxy(history, moved).url)

    assert "a-key" not in str(caught.value)


def test_extract__url_of_none__says_what_is_needed(history: Chain, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match="a port from 1 to 65535"):
        run(tmp_path, history, "http://127.0.0.1:99x/key-of-mine")

    assert list(tmp_path.iterdir()) == []


# Block times that nodes write beside their logs


TIMES: dict[str, Callable[[str], Any]] = {
    "zero": lambda _: "0x0",
    "number": lambda text: int(text, 16),
    "decimal": lambda text: str(int(text, 16)),
    "date": lambda _: "2027-01-15T08:00:00Z",
    "milliseconds": lambda text: hex(1000 * int(text, 16)),
    "one for all": lambda _: hex(1_800_000_001),
    "an hour early": lambda text: hex(int(text, 16) - 3600),
    "too long": lambda _: "0x" + "f" * 16,
    "nothing": lambda _: "0x",
    "null": lambda _: None,
    "object": lambda text: {"seconds": text},
}


@pytest.mark.parametrize("change", TIMES.values(), ids=TIMES.keys())
def test_extract__times_in_logs_are_wrong__headers_tell(
    history: Chain,
    clean: dict[str, str],
    proxy: Proxy,
    tmp_path: Path,
    change: Callable[[str], Any],
) -> None:
    def fault(exchange: Exchange) -> bool:
        for log in exchange.logs:
            log["blockTimestamp"] = change(log["blockTimestamp"])
        return bool(exchange.logs)

    run(tmp_path, history, proxy(history, in_turn(fault)).url)

    assert content(tmp_path) == clean
