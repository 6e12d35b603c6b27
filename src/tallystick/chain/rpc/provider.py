"""web3's connection to a node by a URL that was checked, and its failures in errors.py's words."""

import re
from collections.abc import Iterator
from typing import Any

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3RPCError

from tallystick.chain.rpc.errors import RpcError, UnavailableError
from tallystick.chain.rpc.refusals import answer_refusal, http_refusal, seconds_to_wait
from tallystick.chain.rpc.url import RpcUrl, place_of
from tallystick.errors import FieldError

_URL = re.compile(r"https?://[^\s'\"]+|(?<=with url: )\S+")


def http_provider(url: str | RpcUrl, timeout: float) -> HTTPProvider:
    """Return a provider for web3; it follows no redirect, but fails and says where it leads.

    Args:
        url: of the node.
        timeout: seconds for an answer.

    Raises:
        FieldError: the URL is none of HTTP.
    """
    parsed = url if isinstance(url, RpcUrl) else RpcUrl.parse(url)
    headers = {**HTTPProvider.get_request_headers(), **parsed.headers}
    return HTTPProvider(
        parsed.url,
        {
            "timeout": timeout,
            "headers": headers,
            "allow_redirects": False,
            "hooks": {"response": _refuse_redirect},
        },
    )


def provider_of(w3: Any) -> Any:
    """Return the provider that asks a connection's node; Ape's holds the one it found."""
    provider = getattr(w3, "provider", None)
    return getattr(provider, "_active_provider", None) or provider


def url_of(w3: Any) -> str:
    """Return the URL of a connection's node, which may hold a key; empty where there is none."""
    return str(getattr(provider_of(w3), "endpoint_uri", None) or "")


def name_of(w3: Any) -> str:
    """Return host and port of a connection's node, to speak of it."""
    try:
        return RpcUrl.parse(url_of(w3)).name
    except FieldError:
        return "the node"


def rpc_error(error: Exception) -> RpcError:
    """Return what a failure of web3 says of the node; no part of a URL that may hold a key.

    Args:
        error: of web3, requests or the operating system.
    """
    told = getattr(error, "told", error)
    if isinstance(told, RpcError):
        return told
    if isinstance(error, Web3RPCError) and error.rpc_response is not None:
        found = answer_refusal(error.rpc_response)
        if found is not None:
            return found
    if isinstance(error, requests.HTTPError) and error.response is not None:
        said = error.response
        wait, leads = said.headers.get("retry-after"), said.headers.get("location")
        return http_refusal(said.status_code, said.text, seconds_to_wait(wait), leads)
    if isinstance(error, requests.Timeout | TimeoutError):
        return UnavailableError("it took too long")
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return UnavailableError(cause.strerror)
    text = " ".join(_URL.sub(lambda match: place_of(match[0]), str(error)).split())
    return UnavailableError(text[:300] or type(error).__name__)


def _refuse_redirect(response: Any, *_: Any, **__: Any) -> None:
    """Raise DeniedError for a redirect, which web3 would take for an empty answer."""
    if 300 <= response.status_code < 400:
        raise http_refusal(response.status_code, "", location=response.headers.get("location"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
