"""0G Compute: settlements that an enclave's key signed. docs/networks/0g.md."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from tallystick.networks.adapter import Adapter, ContractKind, Judged, Place, Rows
from tallystick.networks.events import event
from tallystick.networks.verdicts import Verdict, judged
from tallystick.protocol.abi_words import address as word_of
from tallystick.protocol.abi_words import uint
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keccak import keccak256

RESULT = event(
    "event TEESettlementResult(address indexed user, uint8 status, uint256 unsettledAmount)"
)
ACKNOWLEDGED = event(
    "event ProviderTEESignerAcknowledged("
    "address indexed provider, address indexed teeSignerAddress, bool acknowledged)"
)
SETTLE = keccak256(
    b"settleFeesWithTEE((address,address,uint256,bytes32,uint256,bytes)[])",
)[:4]
TYPEHASH = keccak256(
    b"TEESettlement(bytes32 requestsHash,uint256 nonce,address provider,address user,"
    b"uint256 totalFee)"
)
STATUSES = (
    "success",
    "partial",
    "provider mismatch",
    "no acknowledged signer",
    "invalid nonce",
    "invalid signature",
)
"""By the contract's number; the first two are settled."""
SIGNED: Verdict = ("enclave", "")
OTHER_KEY: Verdict = ("rejected", "not signed by the acknowledged key")
TAKEN_BACK: Verdict = ("rejected", "the key's acknowledgement was taken back")
REPEATED: Verdict = ("rejected", "settled before")
STRANGE_STATUS: Verdict = ("rejected", "unknown status")
NO_KEY: Verdict = ("unseen", "no acknowledgement of the provider's key was found")
NO_CALL: Verdict = ("unseen", "the call is not the contract's own")


SIGNATURE = 65
"""Bytes of a signature."""


class Settlement(NamedTuple):
    """An entry of a call."""

    user: bytes
    provider: bytes
    fee: int
    requests_hash: bytes
    nonce: int
    signature: bytes

    def digests(self, separator: bytes) -> tuple[bytes, bytes]:
        """Return what the key signs, by the EIP-712 format and by the one before it."""
        nonce, fee = uint(self.nonce), uint(self.fee)
        inner = keccak256(
            TYPEHASH
            + self.requests_hash
            + nonce
            + word_of(self.provider)
            + word_of(self.user)
            + fee
        )
        packed = keccak256(self.requests_hash + nonce + self.provider + self.user + fee)
        return (
            keccak256(b"\x19\x01" + separator + inner),
            keccak256(b"\x19Ethereum Signed Message:\n32" + packed),
        )


def settlements(calldata: bytes) -> list[Settlement] | None:
    """Return the entries of a call of settleFeesWithTEE; None when it is another call."""
    if calldata[:4] != SETTLE:
        return None
    data = calldata[4:]
    try:
        head = _number(data, 0)
        count, base = _number(data, head), head + 32
        if count > len(data) // 32:
            return None
        return [_entry(data, base + _number(data, base + 32 * place)) for place in range(count)]
    except IndexError:
        return None


def _entry(data: bytes, at: int) -> Settlement:
    tail = at + _number(data, at + 160)
    size = _number(data, tail)
    if tail + 32 + size > len(data) or any(data[at : at + 12]) or any(data[at + 32 : at + 44]):
        raise IndexError
    # No other length is a signature; many entries may point to the same long bytes.
    signature = data[tail + 32 : tail + 32 + size] if size == SIGNATURE else b""
    return Settlement(
        data[at + 12 : at + 32],
        data[at + 44 : at + 64],
        int.from_bytes(data[at + 64 : at + 96], "big"),
        data[at + 96 : at + 128],
        int.from_bytes(data[at + 128 : at + 160], "big"),
        signature,
    )


def _number(data: bytes, at: int) -> int:
    """Return a word that is a place or a length; IndexError where there is none."""
    word = data[at : at + 32]
    if len(word) < 32 or any(word[:28]):
        raise IndexError
    return int.from_bytes(word[28:], "big")


class _Event(NamedTuple):
    """A settlement's event."""

    chain_id: int
    contract: bytes
    block_number: int
    log_index: int
    transaction_hash: str
    user: str
    status: int


_NAMES = (
    "chain_id",
    "address",
    "block_number",
    "log_index",
    "transaction_hash",
    "user",
    "status",
)


def judge(rows: Rows) -> Judged:
    """Give each settlement a verdict: our own recovery against the key acknowledged at that log."""
    results = rows.tables["TEESettlementResult"]
    columns = (results[name].to_pylist() for name in _NAMES)
    events = [_Event(*values) for values in zip(*columns, strict=True)]
    entries = _matched(events, rows)
    keys = _keys(events, entries, _Signers(rows.tables["ProviderTEESignerAcknowledged"]))
    signers = _recovered(events, entries, keys, rows)
    chosen: list[Verdict] = []
    counted: set[tuple[object, ...]] = set()
    fees = 0
    unsettled = results["unsettled_amount"].to_pylist()
    for number, (one, entry) in enumerate(zip(events, entries, strict=True)):
        verdict = _verdict(one.status, entry, keys[number], signers[number])
        if verdict == SIGNED and entry is not None:
            identity = (one.chain_id, one.contract, *entry[:2], *entry[3:5])
            if identity in counted:
                verdict = REPEATED
            else:
                fees += max(0, entry.fee - int(unsettled[number], 16))
            counted.add(identity)
        chosen.append(verdict)
    measures = {
        "fees_settled_wei": fees,
        "users": len({one.user for one in events}),
        "providers": len({entry.provider for entry in entries if entry is not None}),
    }
    return Judged(judged(results, chosen), measures)


def _verdict(status: int, entry: Settlement | None, key: bytes | None, signer: bytes) -> Verdict:
    if status >= len(STATUSES):
        return STRANGE_STATUS
    if status > 1:
        return "rejected", f"by the contract: {STATUSES[status]}"
    if entry is None:
        return NO_CALL
    if key is None:
        return NO_KEY
    if not key:
        return TAKEN_BACK
    return SIGNED if signer == key else OTHER_KEY


def _keys(
    events: Sequence[_Event], entries: Sequence[Settlement | None], signers: "_Signers"
) -> list[bytes | None]:
    """Return the key that each settlement must be signed by, see _Signers.at."""
    return [
        None if entry is None else signers.at(one, entry.provider)
        for one, entry in zip(events, entries, strict=True)
    ]


def _recovered(
    events: Sequence[_Event],
    entries: Sequence[Settlement | None],
    keys: Sequence[bytes | None],
    rows: Rows,
) -> list[bytes]:
    """Return who signed each settlement: in the EIP-712 format, else in the one before it."""
    found = [b""] * len(events)
    separators: dict[tuple[int, bytes], bytes] = {}
    for which in (0, 1):
        signed: dict[int, tuple[bytes, bytes]] = {}
        for number, (one, entry, key) in enumerate(zip(events, entries, keys, strict=True)):
            if entry is None or not key or one.status > 1 or found[number] == key:
                continue
            of = one.chain_id, one.contract
            if of not in separators:
                separators[of] = Domain(*of, "0G Inference Serving", "1").separator()
            signed[number] = entry.digests(separators[of])[which], entry.signature
        for number, signer in zip(signed, rows.recover(list(signed.values())), strict=True):
            found[number] = signer
    return found


class _Signers:
    """Keys that were acknowledged, by contract and provider, in the order of the chain."""

    def __init__(self, rows: pa.Table) -> None:
        self._changes: dict[tuple[int, bytes, bytes], list[tuple[int, int, bytes]]] = {}
        for row in rows.to_pylist():
            key = from_hex(row["tee_signer_address"]) if row["acknowledged"] else b""
            of = (row["chain_id"], row["address"], from_hex(row["provider"]))
            change = (row["block_number"], row["log_index"], key)
            self._changes.setdefault(of, []).append(change)

    def at(self, one: _Event, provider: bytes) -> bytes | None:
        """Return a provider's key at an event; empty when taken back, None when never there."""
        found = None
        for block, index, key in self._changes.get((one.chain_id, one.contract, provider), ()):
            if (block, index) > (one.block_number, one.log_index):
                break
            found = key
        return found


def _matched(events: Sequence[_Event], rows: Rows) -> list[Settlement | None]:
    """Return the entry behind each event: the i-th of its transaction's call.

    None when the contract was called by another contract, so that its calldata is not at hand, or
    when calldata and events do not fit.
    """
    names = ("transaction_hash", "to", "input")
    columns = (rows.calls[name].to_pylist() for name in names)
    calls = {"0x" + key.hex(): (to, data) for key, to, data in zip(*columns, strict=True)}
    found: list[Settlement | None] = [None] * len(events)
    of_call: dict[tuple[bytes, str], list[int]] = {}
    for number, one in enumerate(events):
        of_call.setdefault((one.contract, one.transaction_hash), []).append(number)
    for (contract, transaction), numbers in of_call.items():
        to, calldata = calls.get(transaction, (None, b""))
        entries = settlements(calldata) if to == contract else None
        if entries is None or len(entries) != len(numbers):
            continue
        users = [from_hex(events[number].user) for number in numbers]
        if users == [entry.user for entry in entries]:
            for number, entry in zip(numbers, entries, strict=True):
                found[number] = entry
    return found


ADAPTER = Adapter(
    name="0g",
    title="0G Compute",
    unit="settlement",
    claimed="settlements that the contract has ruled upon",
    checked="the enclave key's signature over each settlement, recovered from calldata",
    cautions=(
        "A settlement stands for an unknown number of inferences.",
        "Which key is an enclave's is the contract owner's word; quotes are checked off chain.",
        "Of centralized providers only the broker runs in an enclave, the model elsewhere.",
    ),
    kinds=(ContractKind((RESULT, ACKNOWLEDGED), calls=("TEESettlementResult",)),),
    places=(Place(16661, bytes.fromhex("47340d900bdFec2BD393c626E12ea0656F938d84"), 13_220_064),),
    judge=judge,
)
