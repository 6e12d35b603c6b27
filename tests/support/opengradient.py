"""OpenGradient as a stand-in: enclaves that sign, trees, blobs over HTTP, and its two contracts."""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tallystick.opengradient.blobs import LEAF_ENCODING
from tallystick.opengradient.item import SignedItem
from tallystick.opengradient.merkle import standard_tree
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import rsa_key
from tests.support.chain import Chain
from tests.support.keys import HeldKey
from tests.support.rsa import pss, secret

LLM = 1
"""A TEE type."""
MEASUREMENT = b"p" * 32


@dataclass(frozen=True)
class Tee:
    """An enclave with one of the pool's RSA-2048 keys."""

    number: int = 0

    @property
    def key(self) -> Any:
        return secret(2048, self.number)

    @property
    def held(self) -> HeldKey:
        """The key as a resolver knows it, and how it signs."""
        numbers = self.key.public_key().public_numbers()
        return HeldKey(rsa_key(numbers.e, numbers.n), lambda digest: pss(self.key, digest))

    @property
    def der(self) -> bytes:
        public = self.key.public_key()
        der: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return der

    @property
    def id(self) -> bytes:
        return keccak256(self.der)

    def item(self, number: int, timestamp: int) -> SignedItem:
        """An inference, signed; different numbers are different ones."""
        input_hash, output_hash = keccak256(b"in %d" % number), keccak256(b"out %d" % number)
        unsigned = SignedItem(self.id, input_hash, output_hash, timestamp, b"")
        return unsigned._replace(signature=pss(self.key, unsigned.message()))

    def items(self, numbers: Sequence[int], timestamp: int) -> list[SignedItem]:
        return [self.item(number, timestamp) for number in numbers]


def dump_of(items: Sequence[SignedItem]) -> dict[str, Any]:
    """StandardMerkleTree.of(...).dump()."""
    leaves = [item.leaf() for item in items]
    tree = standard_tree(leaves)
    inner = len(items) - 1
    free: dict[bytes, list[int]] = {}
    for place in range(inner, len(tree)):
        free.setdefault(tree[place], []).append(place)
    values = [value_of(item, free[leaf].pop()) for item, leaf in zip(items, leaves, strict=True)]
    return {
        "format": "standard-v1",
        "leafEncoding": list(LEAF_ENCODING),
        "tree": [to_hex(node) for node in tree],
        "values": values,
    }


def value_of(item: SignedItem, place: int) -> dict[str, Any]:
    """An item as a dump holds it."""
    words = [to_hex(part) for part in (item.tee_id, item.input_hash, item.output_hash)]
    return {"value": [*words, to_hex(item.signature), item.timestamp], "treeIndex": place}


def root_of(dump: dict[str, Any]) -> bytes:
    return bytes.fromhex(dump["tree"][0][2:])


def named(blob: bytes) -> str:
    """A content-derived name as Walrus gives one."""
    return base64.urlsafe_b64encode(hashlib.sha256(blob).digest()).rstrip(b"=").decode()


@dataclass
class BlobServer:
    """Blobs by name, over HTTP; paths may be told to answer otherwise."""

    url: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, blob: bytes | dict[str, Any]) -> bytes:
        """Keep a blob; returns its id as the events hold it."""
        data = blob if isinstance(blob, bytes) else json.dumps(blob).encode()
        self.blobs[named(data)] = data
        return named(data).encode()


@contextlib.contextmanager
def blob_server() -> Iterator[BlobServer]:
    found = BlobServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/v1/blobs/")
            found.asked.append(name)
            status = found.status.get(name, 200 if name in found.blobs else 404)
            body = found.blobs[name] if status == 200 else b"no"
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests' output is not for this."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/v1/blobs"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class OpenGradient:
    """Relay, TEE registry and blobs; whoever settles may lie."""

    chain: Chain
    relay: Any
    registry: Any
    blobs: BlobServer

    @classmethod
    def deployed(cls, chain: Chain, blobs: BlobServer) -> "OpenGradient":
        """With one approved measurement."""
        found = cls(
            chain, chain.deploy("MockSettlementRelay"), chain.deploy("MockTeeRegistry"), blobs
        )
        found.send(found.registry.functions.approvePCR(MEASUREMENT, LLM, "v1"))
        return found

    @property
    def relay_address(self) -> bytes:
        return bytes.fromhex(self.relay.address[2:])

    @property
    def registry_address(self) -> bytes:
        return bytes.fromhex(self.registry.address[2:])

    def send(self, function: Any) -> int:
        """Send; returns the block's time."""
        return self.chain.transact(self.chain.accounts[0], function).timestamp

    def register(self, tee: Tee, tee_type: int = LLM) -> int:
        return self.send(self.registry.functions.registerTEE(tee.der, tee_type))

    def settle(
        self,
        items: Sequence[SignedItem],
        claimed: int | None = None,
        root: bytes | None = None,
        dump: dict[str, Any] | None = None,
    ) -> None:
        """Settle a batch; without more, an honest one."""
        dump = dump or dump_of(items)
        blob_id = self.blobs.put(dump)
        claimed = len(items) if claimed is None else claimed
        self.batch(root or root_of(dump), claimed, blob_id)

    def batch(self, root: bytes, claimed: int, blob_id: bytes) -> None:
        self.send(self.relay.functions.batchSettle(root, claimed, blob_id))

    def individual(self, item: SignedItem) -> None:
        blob_id = named(item.message()).encode()
        account = self.chain.w3.to_checksum_address(self.chain.accounts[5])
        words = (item.tee_id, item.input_hash, item.output_hash, item.timestamp)
        settle = self.relay.functions.settleIndividual
        self.send(settle(*words, account, blob_id, item.signature))
