"""decode/: whole columns give what the decoder for one log at a time gives."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.chain.abi import contract, signature_hash
from tallystick.data.decode.columns import ENUMS, LARGE, layouts
from tallystick.data.decode.decode import COUNTERS, decode
from tallystick.data.decode.words import DecodeError
from tallystick.protocol.events import CARGO, EVENTS, ModelRegistered
from tests.support.raw_logs import GENESIS, REGISTRY, RawLog, amount, event, rows, table

ENTRIES = {entry["name"]: entry for entry in contract("Tallystick").abi if entry["type"] == "event"}
NAMES = sorted(set(EVENTS) - CARGO)
TEXTS = st.one_of(st.text(max_size=40), st.text(min_size=200, max_size=300), st.just("€" * 700))


def values(argument: dict[str, Any], kind: str = "") -> st.SearchStrategy[Any]:
    """Values that the contract can emit."""
    type_: str = argument["type"]
    if type_.endswith("[]"):
        return st.lists(values({**argument, "type": type_[:-2]}), max_size=20)
    if type_ == "uint64" and argument["name"] in LARGE:
        kind = "large"
    if type_.endswith("[3]"):
        return st.lists(values({**argument, "type": type_[:-3]}), min_size=3, max_size=3)
    if type_ == "tuple":
        return st.tuples(*(values(part) for part in argument["components"]))
    if argument.get("internalType") == "Stamp":
        return st.binary(min_size=22, max_size=22).map(lambda low: bytes(10) + low)
    if argument.get("internalType") in ENUMS:
        return st.sampled_from(list(ENUMS[argument["internalType"]])).map(int)
    if type_.startswith("uint"):
        bits = int(type_[4:])
        most = {"amount": 2**128, "large": 2**256}.get(kind, 2**63)
        top = min(2**bits, most) - 1
        return st.one_of(st.integers(0, top), st.sampled_from([0, 1, top, top // 2]))
    return {
        "bytes32": st.binary(min_size=32, max_size=32),
        "address": st.binary(min_size=20, max_size=20),
        "bool": st.booleans(),
        "string": TEXTS,
    }[type_]


def kinds(name: str) -> dict[str, str]:
    (layout,) = [one for one in layouts() if one.name == name]
    return {field.name: field.kind for field in layout.fields}


@st.composite
def raw_logs(draw: st.DrawFn, name: str) -> RawLog:
    entry, known = ENTRIES[name], kinds(name)
    indexed = [argument for argument in entry["inputs"] if argument["indexed"]]
    plain = [argument for argument in entry["inputs"] if not argument["indexed"]]
    topics = [encode([one["type"]], [draw(values(one))]) for one in indexed]
    chosen = [draw(values(one, known.get(one["name"], ""))) for one in plain]
    data = encode([collapse_if_tuple(one) for one in plain], chosen)
    return RawLog([signature_hash(entry), *topics], data)


STRUCTS: dict[str, Any] = {
    "rules": (bytes(20), [bytes(20)] * 3, bytes(20), 0, 0, 0, 0, 0, 0, 0, False, False),
    "leaf": (bytes(20), 0, 0, bytes(32), bytes(32), bytes(32)),
}


def log(name: str, /, **changes: Any) -> RawLog:
    """A log of zeros, empty strings and changes."""
    zero = {"bytes32": bytes(32), "address": bytes(20), "bool": False, "string": ""}
    zero |= {"bytes": b"", "bytes32[]": []}
    plain = [argument for argument in ENTRIES[name]["inputs"] if not argument["indexed"]]
    topics = [bytes(32) for argument in ENTRIES[name]["inputs"] if argument["indexed"]]
    chosen = [
        changes.get(
            one["name"],
            STRUCTS[one["name"]] if one["type"] == "tuple" else zero.get(one["type"], 0),
        )
        for one in plain
    ]
    data = encode([collapse_if_tuple(one) for one in plain], chosen)
    return RawLog([signature_hash(ENTRIES[name]), *topics], data)


def put(raw: RawLog, word: int, content: bytes) -> RawLog:
    """Replace the end of a word of the data."""
    end = 32 * (word + 1)
    return RawLog(raw.topics, raw.data[: end - len(content)] + content + raw.data[end:])


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_decode__any_logs__equal_one_log_at_a_time(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(NAMES).flatmap(raw_logs), max_size=25))
    events = [event(place, one) for place, one in enumerate(chosen)]

    tables = decode(table(chosen), REGISTRY)

    assert sum(map(len, tables.values())) == len(chosen)
    for name in NAMES:
        expected = rows([one for one in events if type(one).__name__ == name])
        found = tables[name].to_pylist()
        assert [{key: row[key] for key in want} for row, want in zip(found, expected, strict=True)]\
            == [as_columns(name, want) for want in expected]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_decode__each_kind_of_event__equal_one_log_at_a_time(
    name: str, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(raw_logs(name), min_size=1, max_size=6))
    expected = rows([event(place, one) for place, one in enumerate(chosen)])

    found = decode(table(chosen), REGISTRY)[name].to_pylist()

    assert len(found) == len(expected)
    for row, want in zip(found, expected, strict=True):
        assert {key: row[key] for key in want} == as_columns(name, want)
        for field, kind in kinds(name).items():
            if kind == "amount":
                assert amount(row, field) == want[field]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_decode__events_that_move_a_counter__name_it(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.sampled_from(sorted(COUNTERS)).flatmap(raw_logs), max_size=6))
    # Some more than once: network and outcome are kept in dictionaries.
    chosen = drawn + data.draw(
        st.lists(st.sampled_from(drawn), max_size=6) if drawn else st.just([])
    )

    tables = decode(table(chosen), REGISTRY)

    assert sum(len(tables[name]) for name in COUNTERS) == len(chosen)
    for name, moved in COUNTERS.items():
        for row in tables[name].to_pylist():
            place = f"7:0x{'c0' * 20}:{row['network_id']}"
            assert row["counter"] == f"{place}:{moved or row['outcome']}"


def as_columns(name: str, want: dict[str, Any]) -> dict[str, Any]:
    """Amounts and other large integers are kept as hex text."""
    wide = {field for field, kind in kinds(name).items() if kind in ("amount", "large")}
    return {key: f"0x{value:064x}" if key in wide else value for key, value in want.items()}


def test_layouts__every_event_that_counts__has_one() -> None:
    assert {layout.name for layout in layouts()} == {*NAMES, "EIP712DomainChanged"}


def test_decode__events_that_only_carry_data__have_no_table_and_do_no_harm() -> None:
    logs = [log("Staked"), *(log(name) for name in CARGO), log("BatchArchived")]

    tables = decode(table(logs), REGISTRY)

    assert {name for name, found in tables.items() if len(found)} == {"Staked", "BatchArchived"}
    assert not CARGO & set(tables)


@pytest.mark.parametrize("value", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_decode__commit_deadline_of_any_size__is_hex_text(value: int) -> None:
    committed = log("BatchCommitted", commitDeadline=value)

    (row,) = decode(table([committed]), REGISTRY)["BatchCommitted"].to_pylist()

    assert int(row["commit_deadline"], 16) == value


def test_decode__revealed_leaf__its_fields_without_the_proof() -> None:
    leaf = (b"q" * 20, 2**64 - 1, 7, b"i" * 32, b"o" * 32, b"t" * 32)
    revealed = log("LeafRevealed", leafIndex=3, leaf=leaf, bond=9, proof=[b"p" * 32] * 20)

    (row,) = decode(table([revealed, log("Staked")]), REGISTRY)["LeafRevealed"].to_pylist()

    assert (row["leaf_index"], row["leaf_requester"], row["bond_0"]) == (3, "0x" + "71" * 20, 9)
    assert (int(row["leaf_nonce"], 16), int(row["leaf_deadline"], 16)) == (2**64 - 1, 7)
    assert row["leaf_output_hash"] == "0x" + (b"o" * 32).hex()
    assert "proof" not in row


def test_decode__no_logs__has_each_table_with_its_columns() -> None:
    empty, full = (
        decode(table([]), REGISTRY),
        decode(table([log(name) for name in NAMES]), REGISTRY),
    )

    assert set(empty) == set(full)
    for name in NAMES:
        assert (len(empty[name]), len(full[name])) == (0, 1)
        assert empty[name].schema.equals(full[name].schema)


def test_decode__day__is_the_blocks_in_utc() -> None:
    days = decode(table([log("BatchArchived")] * 150), REGISTRY)["BatchArchived"]["day"].to_pylist()

    start = datetime.datetime.fromtimestamp(GENESIS, datetime.UTC)
    assert days == [(start + datetime.timedelta(hours=place // 3)).date() for place in range(150)]
    assert len(set(days)) == 3


@pytest.mark.parametrize(
    "hostile",
    [b"\xff\xfe", b"a\x80b", b"\xed\xa0\x80", b"\xc3", b"\x00" * 40, b"\xf4\x90\x80\x80", b""],
)
def test_decode__string_that_is_no_utf8__is_replaced_and_others_stay(hostile: bytes) -> None:
    good = log("ModelRegistered", name="näïve ✓", uri="ipfs://x")
    bad = log("ModelRegistered", name="x" * len(hostile), uri="ipfs://y")
    bad = RawLog(bad.topics, bad.data.replace(b"x" * len(hostile), hostile, 1))

    found = decode(table([good, bad, good]), REGISTRY)["ModelRegistered"].to_pylist()

    replaced = hostile.decode("utf-8", "replace")
    assert [row["name"] for row in found] == ["näïve ✓", replaced, "näïve ✓"]
    assert [row["uri"] for row in found] == ["ipfs://x", "ipfs://y", "ipfs://x"]
    one = event(1, bad)
    assert isinstance(one, ModelRegistered)
    assert one.name == replaced


def test_decode__huge_strings__are_whole() -> None:
    huge = "🜚" * 300_000
    logs = [log("NetworkRegistered", name=huge, uri="u"), log("NetworkRegistered", name="n")]

    found = decode(table(logs), REGISTRY)["NetworkRegistered"].to_pylist()

    assert [(row["name"] == huge, row["uri"]) for row in found] == [(True, "u"), (False, "")]


@pytest.mark.parametrize("value", [0, 1, 2**32 - 1, 2**32, 2**96 - 1, 2**127 + 5, 2**128 - 1])
def test_decode__amount__limbs_join_to_the_value(value: int) -> None:
    (row,) = decode(table([log("Staked", amount=value)]), REGISTRY)["Staked"].to_pylist()

    assert amount(row, "amount") == value
    assert int(row["amount"], 16) == value
    assert all(0 <= row[f"amount_{place}"] < 2**32 for place in range(4))


STRING_OFFSET = 3
"""Word of ModelRegistered's data that says where its name begins."""

MALFORMED: dict[str, tuple[str, Callable[[RawLog], RawLog]]] = {
    "short data": ("BatchFinalized", lambda raw: RawLog(raw.topics, raw.data[:-1])),
    "long data": ("BatchFinalized", lambda raw: RawLog(raw.topics, raw.data + bytes(32))),
    "no data": ("BatchCommitted", lambda raw: RawLog(raw.topics, b"")),
    "data where there are none": ("BatchArchived", lambda raw: RawLog(raw.topics, bytes(32))),
    "short head before strings": (
        "NetworkRegistered", lambda raw: RawLog(raw.topics, raw.data[:96])
    ),
    "dirty address in the data": ("BatchChallenged", lambda raw: put(raw, 0, b"\x01" + bytes(20))),
    "dirty address in a topic": (
        "Staked", lambda raw: RawLog([*raw.topics[:2], b"\x01" + bytes(31)], raw.data)
    ),
    "enum out of range": ("BatchFinalized", lambda raw: put(raw, 0, b"\x63")),
    "dirty enum": ("BatchAttested", lambda raw: put(raw, 0, b"\x01\x00")),
    "dirty stamp": ("BatchCommitted", lambda raw: put(raw, 4, b"\x01" + bytes(22))),
    "boolean of two": ("BatchDemanded", lambda raw: put(raw, 2, b"\x02")),
    "integer of 2^63": ("BatchFinalized", lambda raw: put(raw, 1, b"\x80" + bytes(7))),
    "integer of 2^64": ("BatchFinalized", lambda raw: put(raw, 1, b"\x01" + bytes(8))),
    "amount of 2^128": ("Staked", lambda raw: put(raw, 0, b"\x01" + bytes(16))),
    "string beyond its data": (
        "ModelRegistered", lambda raw: put(raw, STRING_OFFSET, (4000).to_bytes(32, "big"))
    ),
    "string at the very end": (
        "ModelRegistered",
        lambda raw: put(raw, STRING_OFFSET, (len(raw.data) - 31).to_bytes(32, "big")),
    ),
    "string's place of 2^32": (
        "ModelRegistered", lambda raw: put(raw, STRING_OFFSET, (2**32).to_bytes(32, "big"))
    ),
    "string's place of 2^256 - 1": (
        "ModelRegistered", lambda raw: put(raw, STRING_OFFSET, b"\xff" * 32)
    ),
    "string longer than its data": (
        "ModelRegistered", lambda raw: put(raw, 5, (33).to_bytes(32, "big"))
    ),
    "string's length of 2^255": ("ModelRegistered", lambda raw: put(raw, 5, b"\x80" + bytes(31))),
    "topic missing": ("Staked", lambda raw: RawLog(raw.topics[:2], raw.data)),
    "topic too many": ("Staked", lambda raw: RawLog([*raw.topics, bytes(32)], raw.data)),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
def test_decode__malformed_log_among_good_ones__names_the_event(what: str) -> None:
    name, break_ = MALFORMED[what]
    good = log(name)

    assert len(decode(table([good, good]), REGISTRY)[name]) == 2
    with pytest.raises(DecodeError, match=f"^{name}: "):
        decode(table([good, break_(good), good]), REGISTRY)


@pytest.mark.parametrize("topics", [[], [b"\x11" * 32], [bytes(32)]])
def test_decode__unknown_event__is_refused(topics: list[bytes]) -> None:
    with pytest.raises(DecodeError, match="no event of the registry"):
        decode(table([log("Staked"), RawLog(topics, b"")]), REGISTRY)
