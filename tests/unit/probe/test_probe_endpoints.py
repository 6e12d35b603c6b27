"""endpoints.py: what a file may say, and errors that name the entry."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tallystick.data.probe.endpoints import Endpoint, read_endpoints
from tallystick.data.probe.errors import EndpointsError
from tallystick.protocol.eip712 import Domain

ENTRY = {
    "chain_id": 31337,
    "core": "0x" + "63" * 20,
    "network_id": "0x" + "6e" * 32,
    "operator": "0x" + "6f" * 20,
    "url": "https://one.example/v1",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "endpoints.yaml"


def write(path: Path, *entries: Any) -> Path:
    path.write_text(yaml.safe_dump(list(entries)))
    return path


def test_read_endpoints__least__defaults(path: Path) -> None:
    [endpoint] = read_endpoints(write(path, ENTRY))

    assert endpoint == Endpoint(31337, b"c" * 20, b"n" * 32, b"o" * 20, "https://one.example/v1")
    assert (endpoint.method, endpoint.body, endpoint.headers, endpoint.signer) == (
        "GET",
        b"",
        (),
        None,
    )
    assert endpoint.timeout == 10
    assert endpoint.domain == Domain(31337, b"c" * 20)


def test_read_endpoints__all_fields__as_written(path: Path) -> None:
    path.write_text(
        f"""
- chain_id: 1
  core: "{ENTRY["core"]}"
  network_id: "{ENTRY["network_id"]}"
  operator: "{ENTRY["operator"]}"
  url: http://[::1]:8080/infer?model=1
  method: POST
  body: '{{"digit": "ü"}}'
  headers:
    Content-Type: application/json
  signer: "0x{"73" * 20}"
  timeout: 2
"""
    )

    [endpoint] = read_endpoints(path)

    assert endpoint == Endpoint(
        1,
        b"c" * 20,
        b"n" * 32,
        b"o" * 20,
        "http://[::1]:8080/infer?model=1",
        "POST",
        '{"digit": "ü"}'.encode(),
        (("Content-Type", "application/json"),),
        b"s" * 20,
        2.0,
    )


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("chain_id", "1", "chain_id: "),
        ("chain_id", -1, "chain_id is -1"),
        ("core", 0x63, "core: "),
        ("network_id", "0x00", "network_id: "),
        ("operator", None, "operator: "),
        ("method", "GET /", "method is 'GET /'"),
        ("body", b"bytes", "body: "),
        ("headers", {"a": 1}, "headers.a: "),
        ("headers", {"a b": "c"}, "header 'a b' is 'c'"),
        ("headers", {"a": "b\r\nc: d"}, "header 'a' is"),
        ("headers", {"x-tallystick-nonce": "0x"}, "header 'x-tallystick-nonce' is given"),
        ("headers", {"Content-Length": "0"}, "header 'Content-Length' is given"),
        ("signer", "0x", "signer: "),
        ("timeout", 0, "timeout is 0.0"),
        ("timeout", 3601, "timeout is 3601.0"),
    ],
)
def test_read_endpoints__wrong_field__entry_and_field_named(
    path: Path, field: str, value: Any, reason: str
) -> None:
    write(path, ENTRY, {**ENTRY, "url": "http://two.example", field: value})

    with pytest.raises(EndpointsError) as raised:
        read_endpoints(path)

    [line] = raised.value.reasons
    assert line.startswith(f"entry 2 (http://two.example): {reason}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "one.example",
        "ftp://one.example",
        "http://",
        "http:///path",
        "http://one.example:99999",
        "http://one.example:0",
        "http://user:secret@one.example",
        "http://one.example/a b",
        "http://ünï.example",
        "http://[::1",
        "http://a..example",
        f"http://{'a' * 64}.example",
    ],
)
def test_read_endpoints__wrong_url__refused(path: Path, url: str) -> None:
    write(path, {**ENTRY, "url": url})

    with pytest.raises(EndpointsError, match=r"^entry 1 .*: url is "):
        read_endpoints(path)


def test_read_endpoints__several_wrong__all_named(path: Path) -> None:
    write(path, "text", ENTRY, {**ENTRY, "core": "0x", "chain_id": "x"}, ENTRY)

    with pytest.raises(EndpointsError) as raised:
        read_endpoints(path)

    named = [reason.split(":")[0] for reason in raised.value.reasons]
    assert named == ["entry 1", *["entry 3 (https"] * 2, "entry 4 (https"]
    assert raised.value.reasons[-1].endswith("the same as entry 2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "not a list"), ("[]", "not a list"), ("a: 1", "not a list"), ("[", "not YAML")],
)
def test_read_endpoints__no_list__refused(path: Path, text: str, reason: str) -> None:
    path.write_text(text)

    with pytest.raises(EndpointsError, match=reason):
        read_endpoints(path)


def test_read_endpoints__unknown_key__file_line_and_nearest(path: Path) -> None:
    write(path, ENTRY, {**ENTRY, "url": "http://two.example", "signr": "0x00"})
    line = path.read_text().splitlines().index("  signr: '0x00'") + 1

    with pytest.raises(EndpointsError) as raised:
        read_endpoints(path)

    assert raised.value.reasons == (
        f"entry 2 (http://two.example): {path}, line {line}: unknown key signr; "
        "did you mean signer?",
    )
