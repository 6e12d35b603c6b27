"""Sealed signatures: the hash is shown first, the signature once enough hashes are known.

So nobody can copy a colleague's word in place of finding out. A seal is signed by its key, else
anybody could make up seals of the others, and have a panel open before its members have looked.
What others show is a stranger's word: all of it is checked here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from tallystick.chain.signer import Signer
from tallystick.errors import FieldError, TallystickError
from tallystick.protocol.abi_words import check_bytes
from tallystick.protocol.enums import Ruling
from tallystick.protocol.hexes import from_hex, to_hex
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import has_signed
from tallystick.protocol.panel import Panel
from tallystick.protocol.pool import SignedPlaces

SEAL_TYPEHASH = keccak256(b"Seal(bytes32 panelId,bytes32 seed,bytes32 seal)")
MAX_SIZE = 2048
"""Bytes of a seal in JSON."""


class SealError(TallystickError, ValueError):
    """Somebody shows what is no seal."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One key's word on a panel, closed or open."""

    panel_id: bytes
    seed: bytes
    key: bytes
    hash: bytes
    """keccak256 of the signature, 32 bytes."""
    proof: bytes
    """The key's signature over the seal, 65 bytes."""
    ruling: Ruling = Ruling.UNDECIDED
    """Of an open verdict."""
    signature: bytes = b""
    """65 bytes; empty: closed."""

    def __post_init__(self) -> None:
        for name, value, length in (
            ("panel", self.panel_id, 32),
            ("seed", self.seed, 32),
            ("key", self.key, 20),
            ("seal", self.hash, 32),
            ("proof", self.proof, 65),
        ):
            check_bytes(name, value, length)
        if self.signature:
            check_bytes("signature", self.signature, 65)

    @property
    def closed(self) -> "Seal":
        """The same without what it hides."""
        return replace(self, ruling=Ruling.UNDECIDED, signature=b"")

    def to_json(self) -> bytes:
        """Return it as members exchange it."""
        shown: dict[str, Any] = {
            "panel": to_hex(self.panel_id),
            "seed": to_hex(self.seed),
            "key": to_hex(self.key),
            "seal": to_hex(self.hash),
            "proof": to_hex(self.proof),
        }
        if self.signature:
            shown |= {"ruling": int(self.ruling), "signature": to_hex(self.signature)}
        return to_json(shown)

    @classmethod
    def from_json(cls, body: bytes) -> "Seal":
        """Read what another member shows; SealError if it is none."""
        if len(body) > MAX_SIZE:
            raise SealError(f"more than {MAX_SIZE} bytes; needed: one seal")
        try:
            found = from_json(body)
            return cls(
                from_hex(found["panel"], 32),
                from_hex(found["seed"], 32),
                from_hex(found["key"], 20),
                from_hex(found["seal"], 32),
                from_hex(found["proof"], 65),
                Ruling(found.get("ruling", 0)),
                from_hex(found["signature"], 65) if "signature" in found else b"",
            )
        except (AttributeError, KeyError, TypeError, ValueError, FieldError) as error:
            raise SealError(f"no seal: {' '.join(str(error).split())[:200]}") from error


def sealed(panel: Panel, signer: Signer, ruling: Ruling = Ruling.UNDECIDED) -> Seal:
    """Sign one's word on a panel, and its seal; the result is open.

    Args:
        panel: on which the signer's key holds a place.
        signer: the key.
        ruling: of a case; Undecided for an audit.
    """
    signature = signer.sign(panel.domain, panel.struct_hash(ruling))
    digest = keccak256(signature)
    proof = signer.sign(panel.domain, _seal_hash(panel, digest))
    return Seal(panel.id, panel.seed, signer.address, digest, proof, ruling, signature)


def gathered(panel: Panel, seen: Iterable[Seal], barred: Iterable[bytes] = ()) -> dict[int, Seal]:
    """Return the good ones among seals, by entry; of each key the first seal counts.

    A signature that is not the sealed one, or not over this panel, is left out: its seal stays,
    closed.

    Args:
        panel: that they are to be about.
        seen: one's own first, then what others show, unchecked.
        barred: keys that have no say.
    """
    out = set(barred)
    found: dict[int, Seal] = {}
    for one in seen:
        if (one.panel_id, one.seed) != (panel.id, panel.seed) or one.key in out:
            continue
        entry = panel.entry_of(one.key)
        if entry is None:
            continue
        known = found.get(entry)
        if known is not None and (known.hash != one.hash or known.signature):
            continue
        if known is None and not _is_proved(panel, one):
            continue
        found[entry] = one if _is_open(panel, one) else one.closed
    return found


def may_open(panel: Panel, known: dict[int, Seal]) -> bool:
    """Return whether so many places are sealed that there is nothing left to copy."""
    return panel.count(known) >= panel.opens_at


def complete(
    panel: Panel, known: dict[int, Seal], ruling: Ruling
) -> dict[int, SignedPlaces] | None:
    """Return the open signatures for a ruling, by entry; None while they are too few.

    All of them, not just enough: whoever is left out goes unpaid.
    """
    signed = {
        entry: SignedPlaces(tuple(panel.places[entry]), one.signature)
        for entry, one in known.items()
        if one.signature and one.ruling is ruling
    }
    return signed if panel.count(signed) >= panel.needed(ruling) else None


def _seal_hash(panel: Panel, digest: bytes) -> bytes:
    return keccak256(SEAL_TYPEHASH + panel.id + panel.seed + digest)


def _is_proved(panel: Panel, one: Seal) -> bool:
    return has_signed(one.key, panel.domain.digest(_seal_hash(panel, one.hash)), one.proof)


def _is_open(panel: Panel, one: Seal) -> bool:
    if not one.signature or keccak256(one.signature) != one.hash:
        return False
    if panel.is_audit != (one.ruling is Ruling.UNDECIDED):
        return False
    return has_signed(one.key, panel.domain.digest(panel.struct_hash(one.ruling)), one.signature)
