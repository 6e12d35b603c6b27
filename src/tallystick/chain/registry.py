"""The registry at its address: reads at a block, and calls to send."""

from typing import Any

from web3 import Web3
from web3.types import BlockIdentifier

from tallystick.chain.call import Call, encode_call
from tallystick.chain.view import read_view
from tallystick.protocol.batch import PreImage, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import Cause, Grade, State
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.rules import Rules
from tallystick.protocol.status import LaneStatus, Status
from tallystick.protocol.totals import Totals


class Registry:
    """One deployed registry. Every read names its block; "latest" moves on between two reads.

    Args:
        w3: connected.
        address: 20 bytes.
    """

    def __init__(self, w3: Web3, address: bytes) -> None:
        self.w3, self.address = w3, address

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of requests to this registry."""
        return Domain(chain_id=self.w3.eth.chain_id, contract=self.address)

    def call(self, name: str, *args: Any, value: int = 0) -> Call:
        """Return a call of a function, to be sent; arguments in the order of the ABI."""
        return encode_call("Tallystick", self.address, name, *args, value=value)

    def read(self, name: str, *args: Any, block: BlockIdentifier = "latest") -> Any:
        """Return what a view answers; see read_view for errors."""
        return read_view(self.w3, "Tallystick", self.address, name, *args, block=block)

    def totals(self, network_id: bytes, block: BlockIdentifier = "latest") -> Totals:
        """Return a network's counters; ContractError for an unknown one."""
        return Totals(*self.read("totals", network_id, block=block))

    def rules(self, network_id: bytes, block: BlockIdentifier = "latest") -> Rules:
        """Return a network's rules; ContractError for an unknown one."""
        return Rules.from_abi(self.read("rulesOf", network_id, block=block))

    def lane(
        self, network_id: bytes, operator: bytes, block: BlockIdentifier = "latest"
    ) -> LaneStatus:
        """Return an operator's standing, zero for one never seen; ContractError for an unknown
        network."""
        return LaneStatus(*self.read("laneOf", network_id, operator, block=block))

    def key(self, operator: bytes, block: BlockIdentifier = "latest") -> bytes:
        """Return the key that may commit for an operator, 20 bytes; zero: none."""
        return from_hex(self.read("keyOf", operator, block=block))

    def credit(self, asset: bytes, account: bytes, block: BlockIdentifier = "latest") -> int:
        """Return an account's credit, in units of the asset."""
        return int(self.read("creditOf", asset, account, block=block))

    def word(
        self, network_id: bytes, operator: bytes, slot: int, block: BlockIdentifier = "latest"
    ) -> bytes:
        """Return a slot's storage word, 32 bytes; ContractError for an unknown network."""
        return bytes(self.read("wordOf", network_id, operator, slot, block=block))

    def status(
        self,
        network_id: bytes,
        operator: bytes,
        batch_id: bytes,
        stamp: Stamp,
        block: BlockIdentifier = "latest",
    ) -> Status:
        """Return what the chain can say of a batch; Unknown for a disputed one (see state_of)."""
        ref = (batch_id, stamp.pack())
        return _status(self.read("status", network_id, operator, ref, block=block))

    def archived(self, batch_id: bytes, block: BlockIdentifier = "latest") -> Status:
        """Return the archived status of a batch; Unknown when it is not archived."""
        return _status(self.read("archived", batch_id, block=block))

    def state_of(self, pre_image: PreImage, block: BlockIdentifier = "latest") -> State:
        """Return a batch's state by its whole pre-image, disputed ones included."""
        return State(self.read("stateOf", pre_image.abi(), block=block))


def _status(answer: tuple[Any, ...]) -> Status:
    state, grade, lapsed, cause, *numbers = answer
    return Status(State(state), Grade(grade), lapsed, Cause(cause), *numbers)
