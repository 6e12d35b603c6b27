"""A validation registry of ERC-8004 (draft; erc-8004-contracts b9e466c, 2026-08-15)."""

from typing import Any, NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from web3 import Web3
from web3.exceptions import Web3Exception

from tallystick.chain.call import Call
from tallystick.chain.revert import refused
from tallystick.errors import NoContractError
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256

_REQUESTS = "getValidatorRequests(address)"
_STATUS = "getValidationStatus(bytes32)"
_REQUEST = "validationRequest(address,uint256,string,bytes32)"
_RESPONSE = "validationResponse(bytes32,uint8,string,bytes32,string)"


class Validation(NamedTuple):
    """A request, and the last response to it."""

    validator: bytes
    """20 bytes."""
    agent_id: int
    response: int
    response_hash: bytes
    """32 bytes; zero: none yet, or one that names no report."""
    tag: str
    last_update: int
    """Unix seconds; some registries set it with the request."""

    @property
    def answered(self) -> bool:
        """True if somebody has responded. A response to whose report no hash is given is seen by
        its tag or value alone."""
        return bool(any(self.response_hash) or self.tag or self.response)


class ValidationRegistry:
    """One deployed registry.

    Args:
        w3: connected.
        address: 20 bytes.
    """

    def __init__(self, w3: Web3, address: bytes) -> None:
        self.w3, self.address = w3, address

    def requests(self, validator: bytes) -> list[bytes]:
        """Return the hashes of the requests that name a validator, 32 bytes each, oldest first.

        Raises:
            ContractError: the contract refuses.
            NoContractError: it is no validation registry.
        """
        (found,) = self._view(_REQUESTS, ["bytes32[]"], Web3.to_checksum_address(validator))
        return [bytes(one) for one in found]

    def status(self, request_hash: bytes) -> Validation:
        """Return a request and what was said on it; errors as of requests."""
        types = ["address", "uint256", "uint8", "bytes32", "string", "uint256"]
        validator, *rest = self._view(_STATUS, types, request_hash)
        return Validation(bytes.fromhex(str(validator)[2:]), *rest)

    def ask(self, validator: bytes, agent_id: int, uri: str, request_hash: bytes) -> Call:
        """Return the call that asks a validator; the registry takes it from the agent's owner."""
        args = Web3.to_checksum_address(validator), agent_id, uri, request_hash
        return self._call(_REQUEST, *args)

    def respond(
        self, request_hash: bytes, response: int, uri: str, response_hash: bytes, tag: str
    ) -> Call:
        """Return the call that responds; the registry takes it from the validator asked.

        Args:
            request_hash: 32 bytes.
            response: 0 to 100.
            uri: of the report; may be empty.
            response_hash: keccak256 of the report, 32 bytes.
            tag: what the response is about.
        """
        return self._call(_RESPONSE, request_hash, response, uri, response_hash, tag)

    def _call(self, signature: str, *args: Any) -> Call:
        return Call(self.address, _data(signature, *args), name=signature.partition("(")[0])

    def _view(self, signature: str, outputs: list[str], *args: Any) -> tuple[Any, ...]:
        to = Web3.to_checksum_address(self.address)
        try:
            answer = self.w3.eth.call({"to": to, "data": Web3.to_hex(_data(signature, *args))})
        except Web3Exception as error:
            raise refused(error) from error
        try:
            return decode(outputs, answer)
        except DecodingError as error:
            raise NoContractError(
                f"there is no ERC-8004 validation registry at {checksummed(self.address)}"
            ) from error


def _data(signature: str, *args: Any) -> bytes:
    types = signature[signature.index("(") + 1 : -1].split(",")
    return keccak256(signature.encode())[:4] + encode(types, args)
