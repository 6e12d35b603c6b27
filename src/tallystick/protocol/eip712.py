"""EIP-712: the domain under which requests and evidence are signed."""

from dataclasses import dataclass

from tallystick.protocol.abi_words import address, check_bytes, check_uint, uint
from tallystick.protocol.keccak import keccak256

DOMAIN_TYPEHASH = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """The chain and the contract that a signature is meant for.

    >>> Domain(chain_id=1, contract=bytes(20)).separator().hex()[:16]
    '92c10071441b8f3c'
    """

    chain_id: int
    contract: bytes
    """20 bytes: who verifies; the registry for requests."""
    name: str = "Tallystick"
    version: str = "1"

    def __post_init__(self) -> None:
        check_uint("chain_id", self.chain_id, 256)
        check_bytes("contract", self.contract, 20)

    def separator(self) -> bytes:
        """Return the domain separator, 32 bytes."""
        return keccak256(
            DOMAIN_TYPEHASH
            + keccak256(self.name.encode())
            + keccak256(self.version.encode())
            + uint(self.chain_id)
            + address(self.contract)
        )

    def digest(self, struct_hash: bytes) -> bytes:
        """Return what is signed for a struct of this hash, 32 bytes."""
        return keccak256(b"\x19\x01" + self.separator() + struct_hash)
