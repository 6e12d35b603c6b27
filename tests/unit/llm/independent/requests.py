"""Header and acknowledgement, signed by eth-account's own EIP-712."""

from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data

from tests.unit.llm.independent.keccak import keccak256

_BODY = b'{"messages":[{"role":"user","content":"Hi"}],"max_tokens":2}'
_REQUESTER, _OPERATOR = Account.from_key(b"r" * 32), Account.from_key(b"o" * 32)
_DOMAIN = {
    "name": "Tallystick",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x" + "c0" * 20,
}
_MODEL = bytes(range(32))
_NONCE, _DEADLINE, _TIME = 2**63 + 5, 1_800_000_000, 1_799_999_000


def _typed(kind: str, fields: dict[str, str], message: dict[str, Any]) -> Any:
    types = {kind: [{"name": name, "type": of} for name, of in fields.items()]}
    return encode_typed_data(_DOMAIN, types, message)


def vectors(output_hash: str) -> dict[str, Any]:
    """Return a signed request and the acknowledgement of its answer.

    Args:
        output_hash: of the answer, in hex.
    """
    request = _typed(
        "Request",
        {
            "modelId": "bytes32",
            "operator": "address",
            "inputHash": "bytes32",
            "requester": "address",
            "nonce": "uint64",
            "deadline": "uint64",
        },
        {
            "modelId": _MODEL,
            "operator": _OPERATOR.address,
            "inputHash": keccak256(_BODY),
            "requester": _REQUESTER.address,
            "nonce": _NONCE,
            "deadline": _DEADLINE,
        },
    )
    signature = _REQUESTER.sign_message(request).signature
    word = _typed(
        "Acknowledgement",
        {
            "networkId": "bytes32",
            "operator": "address",
            "key": "address",
            "time": "uint64",
            "requests": "bytes32[]",
            "outputs": "bytes32[]",
        },
        {
            "networkId": b"n" * 32,
            "operator": _OPERATOR.address,
            "key": _OPERATOR.address,
            "time": _TIME,
            "requests": [request.body],
            "outputs": [bytes.fromhex(output_hash)],
        },
    )
    return {
        "chainId": _DOMAIN["chainId"],
        "registry": _DOMAIN["verifyingContract"],
        "body": _BODY.decode(),
        "modelId": _MODEL.hex(),
        "operator": _OPERATOR.address,
        "requester": _REQUESTER.address,
        "nonce": _NONCE,
        "deadline": _DEADLINE,
        "hashStruct": request.body.hex(),
        "header": (
            _MODEL
            + bytes.fromhex(_REQUESTER.address[2:])
            + _NONCE.to_bytes(8, "big")
            + _DEADLINE.to_bytes(8, "big")
            + signature
        ).hex(),
        "acknowledgement": {
            "networkId": (b"n" * 32).hex(),
            "time": _TIME,
            "outputHash": output_hash,
            "hashStruct": word.body.hex(),
            "signature": _OPERATOR.sign_message(word).signature.hex(),
        },
    }
