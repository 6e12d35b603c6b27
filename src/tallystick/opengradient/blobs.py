"""Batches' blobs: where they are read, and what a blob says.

A batch's blob is the JSON of StandardMerkleTree.dump(): {"format": "standard-v1", "leafEncoding":
[...], "tree": ["0x…", ...], "values": [{"value": [teeId, inputHash, outputHash, signature,
timestamp], "treeIndex": n}, ...]}. Bytes are hex text with 0x, the timestamp a whole number, or its
decimal digits as text. Whatever else is refused, with one reason.
"""

import base64
import re
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]
import httpx
import msgspec

from tallystick.opengradient.errors import (
    BlobMalformedError,
    BlobMissingError,
    BlobUnreadableError,
)
from tallystick.opengradient.item import SignedItem
from tallystick.protocol.merkle import MAX_COUNT

MAX_SIZE = 256 << 20
"""Bytes of a blob that are read at most, unless told otherwise; about 270,000 items."""
TIMEOUT = 60.0
"""Seconds for a whole blob, unless told otherwise."""
LEAF_ENCODING = ("bytes32", "bytes32", "bytes32", "bytes", "uint256")
MAX_SIGNATURE = 1024
"""Bytes; RSA-2048's have 256."""

_NAME = re.compile(rb"[A-Za-z0-9_-]{43}")


def blob_name(blob_id: bytes) -> str:
    """Return a Walrus blob's name: 43 characters of base64url without padding.

    The relay's events hold this text; its 32 bytes as they are name the same blob.

    Raises:
        BlobMalformedError: it is neither.

    >>> blob_name(bytes(32)) == "A" * 43 == blob_name(b"A" * 43)
    True
    """
    if len(blob_id) == 32:
        return base64.urlsafe_b64encode(blob_id).rstrip(b"=").decode()
    if not _NAME.fullmatch(blob_id):
        raise BlobMalformedError(f"the blob id is {blob_id[:64]!r}; needed: a Walrus blob id")
    return blob_id.decode()


class BlobSource:
    """A folder, or a URL, below which blobs lie under their names.

    Args:
        url: a folder's path, an aggregator such as https://…/v1/blobs, or what fsspec knows.
        max_size: bytes of a blob that are read at most.
        timeout: seconds for a whole blob.
        options: of fsspec's file system, such as credentials.
    """

    def __init__(
        self, url: str, max_size: int = MAX_SIZE, timeout: float = TIMEOUT, **options: Any
    ) -> None:
        self.url, self.max_size, self.timeout = url.rstrip("/"), max_size, timeout
        self._is_http = urlsplit(url).scheme in ("http", "https")
        if not self._is_http:
            self._fs, self._folder = fsspec.core.url_to_fs(url, **options)

    def read(self, blob_id: bytes) -> bytes:
        """Return a blob's bytes.

        Raises:
            BlobMissingError: there is none of this name.
            BlobUnreadableError: it is too large, or it could not be read in time.
            BlobMalformedError: the id is none.
        """
        name = blob_name(blob_id)
        return self._download(name) if self._is_http else self._open(name)

    def _download(self, name: str) -> bytes:
        deadline, data = time.monotonic() + self.timeout, bytearray()
        try:
            # NOTE: not followed elsewhere: a redirect may point into the reader's own network.
            with httpx.stream("GET", f"{self.url}/{name}", timeout=self.timeout) as response:
                if response.status_code in (404, 410):
                    raise BlobMissingError(f"{self.url} has no blob {name}")
                if response.status_code != 200:
                    raise BlobUnreadableError(
                        f"{self.url} answers with HTTP {response.status_code} for blob {name}"
                    )
                # As they come: whole pieces of one size would wait for a server that drips.
                for piece in response.iter_bytes():
                    data += piece
                    self._check_size(name, len(data))
                    if time.monotonic() > deadline:
                        raise BlobUnreadableError(f"blob {name} takes over {self.timeout:g} s")
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise BlobUnreadableError(f"blob {name} cannot be read: {reason}") from error
        return bytes(data)

    def _open(self, name: str) -> bytes:
        try:
            with self._fs.open(f"{self._folder.rstrip('/')}/{name}", "rb") as file:
                data: bytes = file.read(self.max_size + 1)
        except FileNotFoundError as error:
            raise BlobMissingError(f"{self.url} has no blob {name}") from error
        except OSError as error:
            raise BlobUnreadableError(f"blob {name} cannot be read: {error}") from error
        self._check_size(name, len(data))
        return data

    def _check_size(self, name: str, size: int) -> None:
        if size > self.max_size:
            raise BlobUnreadableError(
                f"blob {name} is larger than the {self.max_size} bytes allowed"
            )


@dataclass(frozen=True, slots=True)
class Dump:
    """A tree and the items that it is said to hold; nothing of that is checked."""

    tree: tuple[bytes, ...]
    """2n - 1 nodes, 32 bytes each, the n leaves last."""
    items: tuple[SignedItem, ...]
    places: tuple[int, ...]
    """The claimed place of each item in the tree."""

    @property
    def leaves(self) -> int:
        """The number of leaves that the tree has."""
        return len(self.tree) // 2 + 1


class _Value(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    value: tuple[str, str, str, str, int | str]
    tree_index: int


class _Dump(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    format: Literal["standard-v1"]
    leaf_encoding: tuple[str, ...]
    tree: list[str]
    values: list[_Value]


_DECODER = msgspec.json.Decoder(_Dump)


def parse(data: bytes) -> Dump:
    """Return what a blob says.

    Raises:
        BlobMalformedError: it is no dump of a tree of items; the first reason.
    """
    try:
        read = _DECODER.decode(data)
        if read.leaf_encoding != LEAF_ENCODING:
            raise ValueError(f"leafEncoding is {', '.join(read.leaf_encoding)[:100]}")
        if not 1 <= len(read.tree) < 2 * MAX_COUNT or len(read.tree) % 2 == 0:
            raise ValueError(f"tree has {len(read.tree)} nodes; needed: 2n - 1, n to {MAX_COUNT}")
        if not 1 <= len(read.values) <= MAX_COUNT:
            raise ValueError(f"it has {len(read.values)} values; needed: 1 to {MAX_COUNT}")
        nodes = tuple(_word(f"tree[{place}]", text) for place, text in enumerate(read.tree))
        places = tuple(one.tree_index for one in read.values)
        for place, index in enumerate(places):
            if not 0 <= index < len(nodes):
                raise ValueError(f"values[{place}] has treeIndex {index}, outside of the tree")
        items = tuple(_item(f"values[{place}]", one) for place, one in enumerate(read.values))
    except (ValueError, RecursionError) as error:
        raise BlobMalformedError(f"the blob is no dump of a tree of items: {error}") from error
    return Dump(nodes, items, places)


def _item(name: str, one: _Value) -> SignedItem:
    tee_id, input_hash, output_hash, signature, timestamp = one.value
    signed = _bytes(name, signature)
    if len(signed) > MAX_SIGNATURE:
        raise ValueError(f"{name} has a signature of {len(signed)} bytes")
    if isinstance(timestamp, str):
        if not re.fullmatch("0|[1-9][0-9]{0,18}", timestamp):
            raise ValueError(f"{name} has the timestamp {timestamp[:40]!r}")
        timestamp = int(timestamp)
    if not 0 <= timestamp < 1 << 63:
        raise ValueError(f"{name} has a timestamp below 0, or of 2^63 or more")
    return SignedItem(
        _word(name, tee_id), _word(name, input_hash), _word(name, output_hash), timestamp, signed
    )


def _word(name: str, text: str) -> bytes:
    word = _bytes(name, text)
    if len(word) != 32:
        raise ValueError(f"{name} has {len(word)} bytes where 32 are needed")
    return word


def _bytes(name: str, text: str) -> bytes:
    # bytes.fromhex would skip spaces.
    if text[:2] == "0x":
        try:
            found = bytes.fromhex(text[2:])
        except ValueError:
            found = b""
        if 2 * len(found) == len(text) - 2:
            return found
    raise ValueError(f"{name} has {text[:20]!r} where hex text with 0x is needed")
