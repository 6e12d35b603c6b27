"""Messages between requesters and operators over HTTP, as JSON.

Hashes, addresses and bytes are hex text with 0x.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tallystick.errors import AnswerError
from tallystick.protocol.address_text import AddressText
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import checksummed, from_hex

_Hash = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{64}$")]
_Signature = Annotated[str, Field(pattern="^0x[0-9a-fA-F]{130}$")]
_Bytes = Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})*$")]
_Count = Annotated[int, Field(ge=0, lt=1 << 64)]


class AskedInference(BaseModel):
    """One request, signed by its requester."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requester: AddressText
    nonce: _Count
    deadline: _Count
    """Unix seconds; the latest commit that the requester accepts."""
    input: _Bytes
    """The canonical input."""
    signature: _Signature
    """EIP-712 over Request, by the requester."""


class AskedInferences(BaseModel):
    """The body of POST /inferences."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model_id: _Hash
    inferences: Annotated[list[AskedInference], Field(min_length=1)]


class AskedReceipts(BaseModel):
    """The body of POST /receipts."""

    model_config = ConfigDict(extra="forbid", strict=True)

    requests: Annotated[list[_Hash], Field(min_length=1, max_length=1024)]
    """hashStruct of each Request."""


class _Said(BaseModel):
    """An operator's message; further fields are of later versions, and passed over."""

    model_config = ConfigDict(extra="ignore", strict=True)


class ServedModelSaid(_Said):
    """A model that an operator answers for."""

    model_id: _Hash
    content_hash: _Hash


class OperatorSaid(_Said):
    """The body of an answer to GET /."""

    chain_id: _Count
    registry: AddressText
    network_id: _Hash
    operator: AddressText
    key: AddressText
    models: list[ServedModelSaid]
    max_inferences: Annotated[int, Field(ge=1)]
    """In one request."""
    ready: bool
    now: _Count = 0
    """Unix seconds, by the operator's view of the chain's clock; this and the next: if ready."""
    shortest_deadline: _Count = 0
    """Seconds from now that a request must leave until its deadline."""
    longest_deadline: _Count = 0

    @property
    def usual_within(self) -> int:
        """Seconds until the deadline that a request has unless its requester names one.

        The middle between what the operator needs and what the network allows.
        """
        return max(
            self.longest_deadline // 2, min(self.shortest_deadline + 30, self.longest_deadline)
        )

    def check_place(self, domain: Domain, name: str) -> None:
        """Raise AnswerError unless the operator works in a registry.

        Args:
            domain: chain id and address of the registry.
            name: of the operator, for the error.
        """
        if (self.chain_id, from_hex(self.registry)) != (domain.chain_id, domain.contract):
            raise AnswerError(
                f"{name} is of registry {self.registry} on chain {self.chain_id}; needed: "
                f"{checksummed(domain.contract)} on chain {domain.chain_id}"
            )


class AnsweredInference(_Said):
    """One output."""

    request: _Hash
    """hashStruct of the Request."""
    output: _Bytes
    output_hash: _Hash


class AnsweredInferences(_Said):
    """The body of an answer to POST /inferences."""

    network_id: _Hash
    operator: AddressText
    key: AddressText
    model_id: _Hash
    time: _Count
    answers: list[AnsweredInference]
    signature: _Signature
    """EIP-712 over Acknowledgement, by the key."""


class PlaceSaid(_Said):
    """The place of one request."""

    request: _Hash
    state: str
    """accepted, answered, in batch, committed or expired."""
    receipt: dict[str, Any] | None = None
    """Once it is committed."""


class PlacesSaid(_Said):
    """The body of an answer to POST /receipts."""

    receipts: list[PlaceSaid | None]
    """In the order asked; None: the operator knows no such request."""
