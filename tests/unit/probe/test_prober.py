"""prober.py against a real server: what counts as answered, and what is noted if not."""

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tallystick.data.probe.endpoints import Endpoint
from tallystick.data.probe.prober import probe_all
from tallystick.data.probe.result import ProbeResult
from tallystick.protocol.hexes import from_hex

PAUSE = 0.6
"""Seconds that the server's slow body takes."""
At = Callable[..., Endpoint]


def probe(endpoint: Endpoint, **options: Any) -> ProbeResult:
    [result] = probe_all([endpoint], **options)
    return result


def test_probe__unsigned_and_no_signer__answered(at: At) -> None:
    before = time.time()

    result = probe(at("unsigned"))

    assert result.answered and result.error is None
    assert (result.status, result.signature) == (200, "absent")
    assert before <= result.time <= time.time()


def test_probe__any__keeps_what_the_endpoint_is(at: At) -> None:
    endpoint = at("unsigned")

    result = probe(endpoint)

    assert (result.chain_id, result.core, result.network_id, result.operator, result.url) == (
        endpoint.chain_id,
        endpoint.core,
        endpoint.network_id,
        endpoint.operator,
        endpoint.url,
    )


def test_probe__signed__valid(at: At) -> None:
    result = probe(at("signed", signed=True))

    assert result.answered and result.signature == "valid"


def test_probe__signed_but_nobody_named__absent(at: At) -> None:
    assert probe(at("signed")).signature == "absent"


@pytest.mark.parametrize("path", ["encoded", "empty"])
def test_probe__signed_over_the_bytes_as_sent__valid(at: At, path: str) -> None:
    result = probe(at(path, signed=True))

    assert result.answered and result.signature == "valid"


def test_probe__no_signature__absent_and_unanswered(at: At) -> None:
    result = probe(at("unsigned", signed=True))

    assert not result.answered
    assert (result.status, result.signature) == (200, "absent")
    assert result.error == "no X-Tallystick-Signature"
    assert result.seconds_to_last_byte is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("other_key", "body and nonce are signed by 0x"),
        ("other_operator", "body and nonce are signed by 0x"),
        ("other_body", "body and nonce are signed by 0x"),
        ("twice", "is not 65 bytes in hex"),
        ("garbage", "is not 65 bytes in hex"),
    ],
)
def test_probe__wrong_signature__invalid_and_unanswered(at: At, path: str, reason: str) -> None:
    result = probe(at(path, signed=True))

    assert not result.answered
    assert (result.status, result.signature) == (200, "invalid")
    assert reason in str(result.error)


@pytest.mark.parametrize(
    "changes", [{"chain_id": 1}, {"core": b"x" * 20}, {"network_id": b"x" * 32}]
)
def test_probe__signed_for_elsewhere__invalid(at: At, changes: dict[str, Any]) -> None:
    assert probe(at("signed", signed=True, **changes)).signature == "invalid"


def test_probe__replayed_signature__valid_only_once(at: At) -> None:
    endpoint = at("replayed", signed=True)

    first, second = probe(endpoint), probe(endpoint)

    assert first.answered and first.signature == "valid"
    assert not second.answered and second.signature == "invalid"


def test_probe__each__fresh_nonce(at: At, server: Any) -> None:
    probe_all([at("unsigned")] * 5)

    nonces = {headers["x-tallystick-nonce"] for _, headers, _ in server.seen}
    assert len(nonces) == 5
    assert all(len(from_hex(nonce)) == 32 for nonce in nonces)


def test_probe__method_body_headers__sent(at: At, server: Any) -> None:
    headers = (("Authorization", "Bearer x"), ("Content-Type", "application/json"))

    probe(at("signed", signed=True, method="POST", body=b"[1]", headers=headers))

    [(method, seen, body)] = server.seen
    assert (method, body) == ("POST", b"[1]")
    assert (seen["authorization"], seen["content-type"]) == ("Bearer x", "application/json")


def test_probe__500__status_noted_and_unanswered(at: At) -> None:
    result = probe(at("failing", signed=True))

    assert not result.answered
    assert (result.status, result.signature) == (500, "valid")
    assert result.error == "status is 500; needed: 2xx"


def test_probe__redirect__not_followed(at: At, server: Any) -> None:
    result = probe(at("redirected"))

    assert (result.answered, result.status, len(server.seen)) == (False, 302, 1)


def test_probe__slow_body__first_byte_before_last(at: At) -> None:
    result = probe(at("slow"))

    assert result.seconds_to_first_byte is not None and result.seconds_to_last_byte is not None
    assert result.seconds_to_last_byte >= PAUSE
    assert result.seconds_to_last_byte - result.seconds_to_first_byte >= PAUSE / 2


@pytest.mark.parametrize(("path", "status"), [("hanging", None), ("dripping", 200), ("slow", 200)])
def test_probe__no_whole_answer_in_time__unanswered(at: At, path: str, status: int | None) -> None:
    begin = time.monotonic()

    result = probe(at(path, timeout=0.4))

    assert not result.answered and result.status == status
    assert result.error == "no whole answer within 0.4 s"
    assert time.monotonic() - begin < 10


def test_probe__endless_body__stopped_at_the_limit(at: At) -> None:
    result = probe(at("huge"), max_body=100_000)

    assert (result.answered, result.status) == (False, 200)
    assert result.error == "the body exceeds 100000 bytes"


@pytest.mark.parametrize(("most", "answered"), [(12, True), (11, False)])
def test_probe__body_at_the_limit__counts(at: At, most: int, answered: bool) -> None:
    assert probe(at("unsigned"), max_body=most).answered is answered


@pytest.mark.parametrize(("path", "status"), [("cut", 200), ("nonsense", None)])
def test_probe__broken_answer__one_line_of_error(at: At, path: str, status: int | None) -> None:
    result = probe(at(path))

    assert not result.answered and result.status == status
    assert result.error


def test_probe__connection_refused__unanswered(at: At, closed_port: int) -> None:
    result = probe(at("", url=f"http://127.0.0.1:{closed_port}/"))

    assert (result.answered, result.status) == (False, None)
    assert result.error == "All connection attempts failed"


def test_probe__unknown_host__unanswered(at: At) -> None:
    result = probe(at("", url="http://nowhere.invalid/"))

    assert (result.answered, result.status) == (False, None)
    assert result.error


def test_probe__proxy_in_environment__not_used(
    at: At, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")

    assert probe(at("unsigned")).answered


def test_probe_all__good_and_bad__in_the_order_given(at: At) -> None:
    endpoints = [at(path, timeout=1.5) for path in ("hanging", "slow", "failing", "unsigned")]

    results = probe_all(endpoints)

    assert [result.url for result in results] == [endpoint.url for endpoint in endpoints]
    assert [result.answered for result in results] == [False, True, False, True]


def test_probe_all__one_at_a_time__clock_starts_with_the_turn(at: At) -> None:
    endpoints = [at("slow", timeout=1.1, method=method) for method in ("GET", "POST", "GET")]
    begin = time.monotonic()

    results = probe_all(endpoints, concurrency=1)

    assert time.monotonic() - begin >= 3 * PAUSE
    assert all(result.answered for result in results)


def test_probe_all__names_that_nobody_resolves__others_answer(
    at: At, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def slow(host: Any, *args: Any, **options: Any) -> Any:
        if host != b"localhost":
            time.sleep(2)
        return resolve("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    lost = [at("", url=f"http://{n}.example/", timeout=0.2) for n in range(40)]
    known = at("unsigned", url=f"http://localhost:{server.server_port}/unsigned", timeout=1.0)

    results = probe_all([*lost, known])

    assert [result.answered for result in results] == [False] * 40 + [True]
