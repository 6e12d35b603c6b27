"""refusals.py: what nodes and providers really say when they refuse."""

import pytest

from tallystick.extract.errors import RangeError, RpcError, UnavailableError
from tallystick.extract.refusals import http_refusal, refusal

RANGE = [
    # Infura, zkSync, Thirdweb, Moonbeam
    (-32005, "query returned more than 10000 results"),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2]."),
    (-32602, "range 1000000 exceeds limit of 10000"),
    (-32005, "query timeout exceeded"),
    # Alchemy
    (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block "
     "range and no limit on the response size, or you can request any block range with a cap of "
     "10K logs in the response. Based on your parameters and the response size limit, this block "
     "range should work: [0x0, 0x1d]"),
    (-32600, "You can make eth_getLogs requests with up to a 500 block range. Based on your "
     "parameters, this block range should work: [0x1a30dfd, 0x1a30ff0]"),
    (-32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block "
     "range. Upgrade to PAYG for expanded block range."),
    (-32000, "Response size is larger than 150MB limit."),
    # QuickNode, BlockPI, 1RPC
    (-32614, "eth_getLogs is limited to a 10,000 range"),
    (-32602, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range"),
    (-32602, "eth_getLogs is limited to 1024 block range. Please check the parameter requirements "
     "at https://docs.blockpi.io"),
    (-32000, "eth_getLogs is limited to 0 - 10000 blocks range"),
    # Ankr
    (-32600, "block range is too wide"),
    (-32062, "Block range is too large"),
    # Cloudflare
    (-32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800"),
    (-32046, "Cannot fulfill request. Max range: 128"),
    # Erigon, Reth, Nethermind, Besu
    (-32000, "query exceeds limit, max allowed: 20000"),
    (-32602, "query exceeds max block range 100000"),
    (-32602, "query exceeds max results 20000, retry with the range 1-100"),
    (-32005, "Too many logs requested. Max logs per response is 20000."),
    (-32005, "Requested range exceeds maximum RPC range limit"),
    (-32000, "requested range exceeds maximum RPC range limit"),
    # geth, after the seconds it gives a call
    (-32002, "request timed out"),
    # jsonrpsee, proxyd
    (-32008, "Response is too big"),
    (-32020, "backend response too large"),
    (-32003, "response too large"),
    (-32602, "block range greater than 10000 max"),
    # BNB Smart Chain, HECO, Polygon, Avalanche, Arbitrum, Candle, Filecoin, Thirdweb, dRPC
    (-32005, "limit exceeded"),
    (-32000, "exceed maximum block range: 5000"),
    (-32000, "maximin block range 5000"),
    (-32000, "requested too many blocks from 1 to 30000, maximum is set to 2048"),
    (-32000, "logs matched by query exceeds limit of 10000"),
    (-32600, "block range too high"),
    (-32000, "filter matches too many events, try a more restricted filter"),
    (-32000, "Maximum allowed number of requested blocks is 3500"),
    (35, "ranges over 10000 blocks are not supported on freetier"),
    (-32012, "block range limit exceeded"),
    (-32600, "Block range limit exceeded. See more details at https://docs.chainstack.com"),
]  # fmt: skip

UNAVAILABLE = [
    # Rates
    (-32005, "daily request count exceeded, request rate limited"),
    (-32005, "project ID request rate exceeded"),
    (429, "Your app has exceeded its compute units per second capacity. If you have retries "
     "enabled, you can safely ignore this message."),
    (-32007, "50/second request limit reached - reduce calls per second or upgrade your account at "
     "quicknode.com"),
    (-32003, "daily request limit reached - upgrade your account at quicknode.com"),
    (-32097, "rate limit exceeded, block range 1-5"),
    (-32090, "Too many requests, reason: call rate limit exhausted, retry in 10s"),
    (-32000, "Request rate exceeded your plan; 100 requests per second"),
    (-32029, "Too Many Requests"),
    (-32016, "over rate limit"),
    (15, "Too many request, try again later"),
    # Behind, or busy
    (-32000, "header not found"),
    (-32001, "unknown block"),
    (-32602, "block range extends beyond current head block"),
    (-32000, "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be "
     "found."),
    (-32000, "cannot query unfinalized data: after last accepted block 10"),
    (-32602, "BlockOutOfRangeError: block height is 319 but requested was 320"),
    (-32603, "internal error"),
    (-32000, "missing trie node 1234 (path )"),
    (-32011, "no backends available for method"),
    (19, "Temporary internal error. Please retry, trace-id: 12"),
    (-32000, "context deadline exceeded"),
]  # fmt: skip

FINAL = [
    (-32601, "the method eth_getLogs does not exist/is not available"),
    (-32600, "invalid request"),
    (-32602, "invalid argument 0: hex string has length 38, want 40 for common.Address"),
    (-32001, "You must be authenticated to use this endpoint: invalid API key"),
    (-32051, "API key disabled, reason: API key is not allowed to access blockchain"),
]


@pytest.mark.parametrize(("code", "message"), RANGE)
def test_refusal__too_much_at_once__range_error(code: int, message: str) -> None:
    assert type(refusal(code, message)) is RangeError


@pytest.mark.parametrize(("code", "message"), UNAVAILABLE)
def test_refusal__rate_or_busy__may_be_asked_again(code: int, message: str) -> None:
    assert type(refusal(code, message)) is UnavailableError


@pytest.mark.parametrize(("code", "message"), FINAL)
def test_refusal__not_to_be_helped__is_final(code: int, message: str) -> None:
    assert type(refusal(code, message)) is RpcError


def test_refusal__reason_is_in_the_data__is_read() -> None:
    data = {"error_id": "4ed94073", "payload": "range 9009594 is bigger than range limit 2000"}

    error = refusal(-32602, "invalid params", data)

    assert type(error) is RangeError
    assert "bigger than range limit 2000" in str(error)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (413, '{"error":{"code":-32614,"message":"eth_getLogs is limited to a 10,000 range"}}',
         RangeError),
        (413, "<html>Request Entity Too Large</html>", RangeError),
        (400, '{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"You can make eth_getLogs '
         'requests with up to a 500 block range."}}', RangeError),
        (400, '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"header not found"}}',
         UnavailableError),
        (403, '{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"daily request count '
         'exceeded, request rate limited"}}', UnavailableError),
        (503, '{"error":{"code":-32603,"message":"query returned more than 10000 results"}}',
         RangeError),
        (429, '{"error":{"code":429,"message":"exceeded its block range capacity"}}',
         UnavailableError),
        (500, "", UnavailableError),
        (502, "<html>Bad Gateway</html>", UnavailableError),
        (504, "upstream request timeout", RangeError),
        (504, "<html><h1>504 Gateway Time-out</h1></html>", RangeError),
        (504, "", UnavailableError),
        (408, "", UnavailableError),
        (401, "invalid project id", RpcError),
        (404, "Not Found", RpcError),
    ],
)  # fmt: skip
def test_http_refusal__status_and_text__tell_what_to_do(
    status: int, text: str, kind: type[RpcError]
) -> None:
    error = http_refusal(status, text, None)

    assert type(error) is kind
    assert f"HTTP {status}" in str(error)


def test_http_refusal__retry_after__is_kept() -> None:
    error = http_refusal(429, "", 7.0)

    assert isinstance(error, UnavailableError)
    assert error.retry_after == 7.0
