"""refusals.py: what nodes and providers really say when they refuse."""

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.chain.rpc.errors import (
    BehindError,
    BusyError,
    DeniedError,
    PrunedError,
    RangeError,
    RevertedError,
    RpcError,
    UnavailableError,
)
from tallystick.chain.rpc.refusals import (
    answer_refusal,
    http_refusal,
    refusal,
    seconds_to_wait,
)

RANGE = [
    (-32000, "range limit exceeded"),
    (-32000, "please limit the query to at most 1000 blocks"),
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

BUSY = [
    (-32000, "monthly credit limit reached"),
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
    (429, "slower, please"),
    ("429", "slower, please"),
    (-32005, "rate limit of this API key exceeded"),
]  # fmt: skip

BEHIND = [
    (-32000, "header for hash not found"),
    (-32000, "header not found"),
    (-32001, "unknown block"),
    (-32602, "block range extends beyond current head block"),
    (-32000, "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be "
     "found."),
    (-32000, "cannot query unfinalized data: after last accepted block 10"),
    (-32602, "BlockOutOfRangeError: block height is 319 but requested was 320"),
    (-32000, "block not found"),
    (-39001, "Unknown block"),
    (-32602, "toBlock is greater than the latest block"),
    (-32000, "the node is still syncing"),
]  # fmt: skip

PRUNED = [
    (-32000, "state histories haven't been fully indexed yet"),
    (-32000, "history not available"),
    (-32000, "first available block is 100"),
    (-32000, "free plan does not support archive requests"),
    (-32000, "missing trie node 1234 (path )"),
    (-32000, "missing trie node 3f2b (path ) state is not available"),
    (-32000, "required historical state unavailable (reexec=128)"),
    (4444, "pruned history unavailable"),
    (-32000, "state at block #5 is pruned"),
    (-32603, "distance to target block exceeds maximum proof window"),
    (-32602, "BlockOutOfRangeError: block height is 6 but requested was 0"),
    (-32602, "BlockOutOfRangeError: block height is 6 but requested was 6"),
]

UNAVAILABLE = [
    (-32603, "internal error"),
    (-32011, "no backends available for method"),
    (19, "Temporary internal error. Please retry, trace-id: 12"),
    (-32000, "context deadline exceeded"),
    (-32000, "something of which nobody has heard"),
    ("-32603", "something of which nobody has heard"),
]

DENIED = [
    (-32601, "the method eth_getLogs does not exist/is not available"),
    (-32000, "the method eth_getLogs does not exist/is not available"),
    (-32001, "You must be authenticated to use this endpoint: invalid API key"),
    (-32051, "API key disabled, reason: API key is not allowed to access blockchain"),
    (None, "this key is disabled"),
    (-32000, "project is suspended"),
]

FINAL = [
    (-32600, "invalid request"),
    (-32602, "invalid argument 0: hex string has length 38, want 40 for common.Address"),
]

REVERTED = [
    (3, "execution reverted: limit exceeded"),
    (-32000, "execution reverted"),
    (-32015, "VM execution error: Reverted 0x08c379a0"),
]

KINDS = {
    RangeError: RANGE,
    BusyError: BUSY,
    BehindError: BEHIND,
    PrunedError: PRUNED,
    UnavailableError: UNAVAILABLE,
    DeniedError: DENIED,
    RpcError: FINAL,
    RevertedError: REVERTED,
}


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [(kind, code, message) for kind, found in KINDS.items() for code, message in found],
)
def test_refusal__words_of_a_provider__kind(
    kind: type[RpcError], code: object, message: str
) -> None:
    assert type(refusal(code, message)) is kind


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ({"error": "block range too large, at most 20"}, RangeError, "at most 20"),
        ({"error": {"code": "-32005", "message": "query returned more than 10000 results"}},
         RangeError, "10000"),
        ({"error": {"code": -32005, "message": None, "data": "block range too large, at most 20"}},
         RangeError, "at most 20"),
        ({"error": {"code": -32000, "data": {"reason": "unknown block"}}}, BehindError,
         "unknown block"),
        ({"error": {}}, RpcError, "no reason"),
        ({"error": ["rate limit"]}, BusyError, "rate limit"),
        ({"error": False}, RpcError, "False"),
        ({"message": "this key is disabled"}, DeniedError, "this key is disabled"),
        ({"error": {"detail": "this key is disabled"}}, DeniedError, "this key is disabled"),
        ({"error": {"error": {"message": "too many requests"}}}, BusyError, "too many requests"),
        ({"code": 429, "msg": "slower"}, BusyError, "slower"),
        ({"error": "Unauthorized", "message": "no such project"}, DeniedError, "no such project"),
        ({"jsonrpc": "2.0", "id": 1}, UnavailableError, "neither"),
        ("maintenance", UnavailableError, "maintenance"),
        ([], UnavailableError, "something else"),
    ],
)  # fmt: skip
def test_answer_refusal__shape_of_a_gateway__kind_and_its_words(
    answer: object, kind: type[RpcError], said: str
) -> None:
    error = answer_refusal(answer)

    assert type(error) is kind
    assert said in str(error)


@pytest.mark.parametrize("result", [None, "0x", [], {"message": "fine"}])
def test_answer_refusal__result__none(result: object) -> None:
    assert answer_refusal({"jsonrpc": "2.0", "id": 1, "result": result}) is None
    assert answer_refusal({"jsonrpc": "2.0", "id": 1, "result": result, "error": None}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "message", "data", "error", "x"]), inner)
    ),
    max_leaves=6,
)


@given(JSON)
def test_answer_refusal__any_json__is_an_error_of_one_line(answer: object) -> None:
    error = answer_refusal(answer)

    assert isinstance(error, RpcError)
    assert "\n" not in str(error)
    assert len(str(error)) < 1000


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
         BehindError),
        (403, '{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"daily request count '
         'exceeded, request rate limited"}}', BusyError),
        (503, '{"error":{"code":-32603,"message":"query returned more than 10000 results"}}',
         RangeError),
        (429, '{"error":{"code":429,"message":"exceeded its block range capacity"}}', BusyError),
        (429, "", BusyError),
        (524, "<html><h1>proxy</h1></html>", UnavailableError),
        (503, "too many requests", BusyError),
        (403, "<html>Forbidden</html>", DeniedError),
        (402, "", DeniedError),
        (401, "", DeniedError),
        (401, "the service is unavailable", DeniedError),
        (308, "", DeniedError),
        (500, "", UnavailableError),
        (502, "<html>Bad Gateway</html>", UnavailableError),
        (504, "upstream request timeout", RangeError),
        (504, "<html><h1>504 Gateway Time-out</h1></html>", RangeError),
        (504, "", UnavailableError),
        (408, "", UnavailableError),
        (421, "", UnavailableError),
        (499, "", UnavailableError),
        (401, "invalid project id", DeniedError),
        (404, "Not Found", RpcError),
    ],
)  # fmt: skip
def test_http_refusal__status_and_text__tell_what_to_do(
    status: int, text: str, kind: type[RpcError]
) -> None:
    error = http_refusal(status, text, None)

    assert type(error) is kind
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize("status", [429, 503])
def test_http_refusal__retry_after__is_kept(status: int) -> None:
    error = http_refusal(status, "", 7.0)

    assert isinstance(error, UnavailableError)
    assert error.retry_after == 7.0


def test_http_refusal__redirect__names_the_place_and_no_key() -> None:
    error = http_refusal(301, "", location="https://me:secret@rpc.example:8545/v1/key?k=key")

    assert "a redirect to https://rpc.example:8545/" in str(error)
    assert "secret" not in str(error) and "key" not in str(error)


@pytest.mark.parametrize("seconds", [0, 7, 3600])
def test_seconds_to_wait__date__seconds_from_now(seconds: int) -> None:
    found = seconds_to_wait(formatdate(time.time() + seconds, usegmt=True))

    assert found is not None
    assert max(0, seconds - 2) <= found <= seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        (".5", 0.5),
        ("5s", 5.0),
        ("+3", 3.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-3", None),
        ("soon", None),
        ("inf", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_to_wait__form__seconds_or_none(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header) == seconds


@given(st.text(max_size=30))
def test_seconds_to_wait__any_text__seconds_or_none(text: str) -> None:
    found = seconds_to_wait(text)

    assert found is None or found >= 0
