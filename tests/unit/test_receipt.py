"""receipt.py: written, read again, and each part spoiled in turn."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tallystick.errors import ReceiptError
from tallystick.protocol.batch import Batch, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.inference import Inference, Request, hash_leaves
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt
from tallystick.protocol.signature import account_of

REGISTRY = b"k" * 20
OPERATOR, MODEL = b"o" * 20, b"m" * 32
KEY = b"r" * 32
REQUESTER = account_of(KEY)
DOMAIN = Domain(31337, REGISTRY)


def inference(nonce: int) -> Inference:
    return Inference(MODEL, OPERATOR, REQUESTER, nonce, 90, bytes([nonce]) * 32, b"y" * 32)


@pytest.fixture
def receipt() -> Receipt:
    inferences = [inference(nonce) for nonce in range(5)]
    tree = Tree.from_leaves(hash_leaves(inferences))
    batch = Batch(b"n" * 32, OPERATOR, 4, MODEL, tree.root, 5, 90)
    signature = inferences[4].request().sign(DOMAIN, KEY)
    opening = Opening(inferences[4], 4, tree.proof(4))
    return Receipt.of(
        31337, REGISTRY, batch, Stamp(2, 5, 80, 7, 180), opening, signature, b"t" * 32
    )


def test_from_json__what_to_json_wrote__same_receipt(receipt: Receipt) -> None:
    read = Receipt.from_json(json.loads(json.dumps(receipt.to_json())))

    assert read == receipt
    read.check()


def test_check__without_signature__passes(receipt: Receipt) -> None:
    read = Receipt.from_json({**receipt.to_json(), "signature": None})

    read.check()

    assert read.signature == b""


def test_block__stamp__is_the_block_of_the_commit(receipt: Receipt) -> None:
    assert receipt.block == receipt.to_json()["block"] == 7


SPOILED: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("leaf", lambda r: r["inference"].update(output_hash="0x" + "00" * 32)),
    ("leaf", lambda r: r["inference"].update(nonce=3)),
    ("leaf", lambda r: r["inference"].update(leaf="0x" + "00" * 32)),
    ("batch", lambda r: r["batch"].update(index=5)),
    ("batch", lambda r: r.update(network_id="0x" + "00" * 32)),
    ("batch", lambda r: r["batch"].update(root="0x" + "00" * 32)),
    ("batch", lambda r: r["batch"].update(id="0x" + "00" * 32)),
    ("stamp", lambda r: r.update(stamp="0x" + Stamp(2, 4, 80, 7, 180).pack().hex())),
    ("stamp", lambda r: r.update(stamp="0x" + Stamp(2, 5, 91, 7, 191).pack().hex())),
    ("stamp", lambda r: r.update(stamp="0x" + "ff" * 32)),
    ("block", lambda r: r.update(block=8)),
    ("proof", lambda r: r["proof"].pop()),
    ("proof", lambda r: r["proof"].append("0x" + "00" * 32)),
    ("proof", lambda r: r["proof"].reverse()),
    ("proof", lambda r: r.update(leaf_index=3)),
    ("proof", lambda r: r.update(leaf_index=5)),
    ("signature", lambda r: r.update(chain_id=1)),
    ("signature", lambda r: r.update(registry="0x" + "11" * 20)),
    ("signature", lambda r: r.update(signature="0x" + "11" * 64 + "1b")),
    ("signature", lambda r: r.update(signature="0x11")),
    ("version", lambda r: r.update(version=2)),
    ("transaction", lambda r: r.pop("transaction")),
    ("batch.count", lambda r: r["batch"].update(count="5")),
    ("count", lambda r: r["batch"].update(count=0)),
    ("note", lambda r: r.update(note="hello")),
]


@pytest.mark.parametrize(("part", "spoil"), SPOILED)
def test_check__one_part_spoiled__names_it(
    receipt: Receipt, part: str, spoil: Callable[[dict[str, Any]], object]
) -> None:
    data = receipt.to_json()
    spoil(data)

    with pytest.raises(ReceiptError) as raised:
        Receipt.from_json(data).check()

    assert raised.value.part == part


def test_check__batch_of_another_operator_with_the_same_root__raises(receipt: Receipt) -> None:
    batch = replace(receipt.batch, operator=b"c" * 20)

    with pytest.raises(ReceiptError, match="another model or operator"):
        replace(receipt, batch=batch, batch_id=batch.id()).check()


def test_check__signed_by_somebody_else__raises(receipt: Receipt) -> None:
    known = receipt.opening.inference.request()
    request = Request(MODEL, OPERATOR, known.input_hash, account_of(b"z" * 32), 4, 90)
    signature = request.sign(DOMAIN, b"z" * 32)

    with pytest.raises(ReceiptError, match="signature: the request is signed by"):
        replace(receipt, signature=signature).check()


def test_from_json__no_object__raises() -> None:
    with pytest.raises(ReceiptError, match="receipt"):
        Receipt.from_json([])
