"""url.py: URLs of nodes as people and shells write them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.chain.rpc.provider import http_provider
from tallystick.chain.rpc.url import RpcUrl
from tallystick.errors import FieldError


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545", "127.0.0.1:8545"),
        (" https://rpc.example/key?a=b\r\n", "https://rpc.example/key?a=b", "rpc.example"),
        ("HTTPS://rpc.example:443/", "https://rpc.example:443/", "rpc.example:443"),
        ("http://[::1]:8545", "http://[::1]:8545", "[::1]:8545"),
        ("http://localhost:/x", "http://localhost/x", "localhost"),
        ("https://my_host.svc.local/#top", "https://my_host.svc.local/", "my_host.svc.local"),
        ("\ufeffhttp://a:1", "http://a:1", "a:1"),
    ],
)
def test_parse__url__url_and_name(text: str, url: str, name: str) -> None:
    found = RpcUrl.parse(text)

    assert (found.url, found.name, dict(found.headers)) == (url, name, {})


@pytest.mark.parametrize("user", ["someone:a-word", "someone:a%2Dword", "someone:a:b@c", "someone"])
def test_parse__user_and_password__become_a_header(user: str) -> None:
    found = RpcUrl.parse(f"https://{user}@rpc.example:8545/v1")

    said = base64.b64decode(found.headers["Authorization"].removeprefix("Basic ")).decode()
    assert said == (user if ":" in user else user + ":").replace("%2D", "-")
    assert found.url == "https://rpc.example:8545/v1"
    assert str(found) == "rpc.example:8545"
    assert "word" not in repr(found)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("127.0.0.1:8545/secret", "http:// or https:// before the host"),
        ("a-secret", "http:// or https:// before the host"),
        ("", "http:// or https:// before the host"),
        ("localhost", "http:// or https:// before the host"),
        ("ws://rpc.example/secret", "http:// or https://"),
        ("http://[::1:8545/secret", "a host"),
        ("http://::1:8545/secret", "a host"),
        ("http://127.0.0.1:99x/secret", "a port"),
        ("http://127.0.0.1:0/secret", "a port"),
        ("http://127.0.0.1:99999/secret", "a port"),
        ("http://127.0.0.1:-1/secret", "a port"),
        ("http:///secret", "a host"),
        ("http://secret@/secret", "a host"),
        ("http://a..b/secret", "a host"),
        ("http://user:a-secret/b@rpc.example", "a port"),
        ("http://user:a-secret?b@rpc.example:99x", "a port"),
        ("http://rpc example/secret", "printable"),
        ("http://rpc.example/a\rsecret", "printable"),
        ("http://127.0.0.1\n:8545/secret", "printable"),
        ('"http://rpc.example/secret"', "http:// or https:// before the host"),
    ],
)
def test_parse__something_else__says_what_is_needed_and_no_secret(text: str, needed: str) -> None:
    with pytest.raises(FieldError, match="^RPC URL is ") as caught:
        RpcUrl.parse(text)

    assert needed in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.text(st.characters(codec="utf-8"), max_size=30)
    | st.text("ahtps:/@[]?#.%1 \r", max_size=30).map(lambda rest: f"http://{rest}")
)
def test_parse__any_text__url_or_field_error(text: str) -> None:
    try:
        found = RpcUrl.parse(text)
    except FieldError:
        return
    assert found.url.startswith(("http://", "https://"))
    assert RpcUrl.parse(found.url) == RpcUrl(found.url, {}, found.name)


def test_http_provider__password__is_in_the_header_and_nowhere_else() -> None:
    provider = http_provider("http://someone:a-word@127.0.0.1:8545/v1\r", 5)

    assert provider.endpoint_uri == "http://127.0.0.1:8545/v1"
    sent = provider.get_request_kwargs()
    assert sent["headers"]["Authorization"].startswith("Basic ")
    assert sent["headers"]["Content-Type"] == "application/json"
    assert sent["timeout"] == 5
