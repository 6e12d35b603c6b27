"""Answers over HTTP that an enclave signed, as evidence: dstack's vLLM proxy, NEAR AI, 0G.

Source: contracts/enclave_http/IEnclaveHttp.sol.
"""

from dataclasses import dataclass
from hashlib import sha256

from tallystick.errors import FieldError, SignatureError
from tallystick.protocol.abi_words import ZERO32, check_bytes
from tallystick.protocol.inference import Inference
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import check_key
from tallystick.protocol.ledger import Model
from tallystick.protocol.rules import MAX_BYTES, model_id
from tallystick.protocol.signature import LENGTH, recover

SPEC = b"ENCLAVE-HTTP"
SPEC_ID = keccak256(SPEC)
"""Spec of models whose input and output are two HTTP bodies, byte for byte."""
_PARTS = (20, LENGTH, 32, 20, 32, 1, 4)
"""Bytes of the evidence's head: signer, signature, network, registrant, parent, two lengths."""
_HEAD = sum(_PARTS)
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class HttpModel:
    """A model that is answered for over HTTP; its content is its name.

    >>> HttpModel(bytes(32), bytes(20), b"qwen").id().hex()[:16]
    'c85ca5486a096b81'
    """

    network_id: bytes
    registrant: bytes
    """Sender of registerModel, 20 bytes."""
    name: bytes
    """As the enclave signs it; at most 255 bytes."""
    parent: bytes = ZERO32

    def __post_init__(self) -> None:
        check_bytes("network_id", self.network_id, 32)
        check_bytes("registrant", self.registrant, 20)
        check_bytes("parent", self.parent, 32)
        if type(self.name) is not bytes or len(self.name) > _LONGEST_NAME:
            raise FieldError("name", repr(self.name), f"at most {_LONGEST_NAME} bytes")

    @classmethod
    def of(cls, model: Model) -> "HttpModel":
        """Return a registered model as evidence names it.

        Raises:
            FieldError: it is of another spec, or its content is not its name.
        """
        if model.spec_hash != SPEC_ID:
            needed = f"0x{SPEC_ID.hex()}, of {SPEC.decode()}"
            raise FieldError("the model's spec", "0x" + model.spec_hash.hex(), needed)
        name = model.name.encode()
        if keccak256(name) != model.content_hash:
            raise FieldError(
                "the model's content", "0x" + model.content_hash.hex(), "keccak256 of its name"
            )
        return cls(model.network_id, model.registrant, name, model.parent)

    def id(self) -> bytes:
        """Return the id that the registry gives it, 32 bytes."""
        content = keccak256(self.name)
        return model_id(self.network_id, self.registrant, content, SPEC_ID, self.parent)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A request and its answer, as an enclave signed them.

    Raises:
        FieldError: both bodies together have more than 90,000 bytes, or a field has another length.
    """

    request: bytes
    """The body, byte for byte."""
    response: bytes
    """The body, byte for byte; of a stream, all that was sent."""
    signature: bytes
    """r || s || v, 65 bytes, over the text by EIP-191."""
    signer: bytes
    """Address of the enclave's key, 20 bytes."""

    def __post_init__(self) -> None:
        check_bytes("signature", self.signature, LENGTH)
        check_bytes("signer", self.signer, 20)
        check_key("signer", self.signer)
        length = len(self.request) + len(self.response)
        if length > MAX_BYTES:
            raise FieldError("both bodies together", f"{length} bytes", f"at most {MAX_BYTES}")

    @property
    def input_hash(self) -> bytes:
        """The leaf's, 32 bytes."""
        return keccak256(self.request)

    @property
    def output_hash(self) -> bytes:
        """The leaf's, 32 bytes."""
        return keccak256(self.response)

    def item(self) -> bytes:
        """Return what tells the inference from others, whoever signed it; 32 bytes."""
        return keccak256(self.input_hash + self.output_hash)

    def check(self, name: bytes | None) -> None:
        """Raise SignatureError unless the signer signed the bodies in one form.

        Args:
            name: the model's, in the named form; None: the plain form.
        """
        digest = text_digest(signed_text(self.request, self.response, name))
        if recover(digest, self.signature) != self.signer:
            form = "plain" if name is None else "named"
            raise SignatureError(
                f"0x{self.signer.hex()} did not sign these bodies in the {form} form"
            )

    def ruling_evidence(self, model: HttpModel) -> bytes:
        """Return the evidence for the registry's resolve, by which the leaf is upheld."""
        head = self.signer + self.signature + model.network_id + model.registrant + model.parent
        lengths = len(model.name).to_bytes(1, "big") + len(self.request).to_bytes(4, "big")
        return head + lengths + model.name + self.request + self.response

    def evidence(self, inference: Inference, model: HttpModel) -> bytes:
        """Return the evidence for the registry's attest of a batch that is this one inference.

        Raises:
            FieldError: the inference has another input, output or model.
        """
        needed = {
            "input_hash": self.input_hash,
            "output_hash": self.output_hash,
            "model_id": model.id(),
        }
        for field, value in needed.items():
            found = getattr(inference, field)
            if found != value:
                raise FieldError(field, "0x" + found.hex(), f"the answer's 0x{value.hex()}")
        return inference.encode_leaf() + self.ruling_evidence(model)


def signed_text(request: bytes, response: bytes, name: bytes | None = None) -> bytes:
    """Return the text that an enclave signs for two bodies.

    Args:
        request: the body.
        response: the body.
        name: the model's, in the named form; None: the plain form, 129 bytes.

    >>> signed_text(b"", b"", b"qwen")[:13]
    b'qwen:e3b0c442'
    """
    hashes = f"{sha256(request).hexdigest()}:{sha256(response).hexdigest()}".encode()
    return hashes if name is None else name + b":" + hashes


def text_digest(text: bytes) -> bytes:
    """Return what is signed for a text by EIP-191 (personal_sign), 32 bytes."""
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)


def read_ruling_evidence(evidence: bytes) -> tuple[HttpAnswer, HttpModel]:
    """Return the answer and the model that evidence for the registry's resolve shows.

    Raises:
        FieldError: the evidence is cut short, or its bodies are too long.
    """
    parts, start = [], 0
    for size in _PARTS:
        parts.append(evidence[start : start + size])
        start += size
    signer, signature, network_id, registrant, parent, *lengths = parts
    name_length, request_length = (int.from_bytes(length, "big") for length in lengths)
    bodies = _HEAD + name_length
    answer = bodies + request_length
    if len(evidence) < answer:
        raise FieldError("evidence", f"{len(evidence)} bytes", f"{answer} or more")
    return (
        HttpAnswer(evidence[bodies:answer], evidence[answer:], signature, signer),
        HttpModel(network_id, registrant, evidence[_HEAD:bodies], parent),
    )
