"""A local chain to the second: who sends what when, what it emits, and how it is refused."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.deploy import create2_address, creation_code, deployment
from tallystick.chain.follower import read_ledger
from tallystick.chain.localnet import mine, set_next_timestamp
from tallystick.chain.logs import decode_log
from tallystick.chain.registry import Registry
from tallystick.chain.revert import ContractError, decode_revert
from tallystick.chain.sender import Sent
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.events import Event
from tallystick.protocol.ledger import Ledger
from tests.support.builds import abi, bytecode

GAS = 16_000_000
"""Below the cap of 2^24 a transaction."""


@dataclass(frozen=True)
class Mined:
    """A transaction that did what it should."""

    gas_used: int
    timestamp: int
    block_number: int
    events: list[Event]

    def event(self, kind: type) -> Any:
        """Its only event of this kind."""
        (found,) = [event for event in self.events if type(event) is kind]
        return found


class Chain:
    """anvil with a registry on it; every account is unlocked."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self._timed = False
        self.accounts = [bytes.fromhex(account[2:]) for account in w3.eth.accounts]
        code = creation_code("Tallystick")
        self.deployed = self._transact(self.accounts[0], deployment(code))
        self.registry = Registry(w3, create2_address(code))

    @property
    def now(self) -> int:
        """Unix seconds; time of the latest block."""
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def at(self, timestamp: int) -> "Chain":
        """Have the next transaction mined at this time."""
        set_next_timestamp(self.w3, timestamp)
        self._timed = True
        return self

    def unlock(self, account: bytes, balance: int = 10**20) -> bytes:
        """Have the node send for an account of whatever key; it gets this many wei."""
        address = Web3.to_checksum_address(account)
        self.w3.provider.make_request("anvil_impersonateAccount", [address])
        self.w3.provider.make_request("anvil_setBalance", [address, hex(balance)])
        return account

    def mine(self, blocks: int = 1) -> None:
        self._tick()
        mine(self.w3, blocks)

    def send(self, sender: bytes, name: str, *args: Any, value: int = 0) -> Mined:
        """Send a call of the registry; ContractError if it is refused."""
        return self.send_call(sender, self.registry.call(name, *args, value=value))

    def send_call(self, sender: bytes, call: Call) -> Mined:
        receipt = self._transact(sender, call)
        block = self.w3.eth.get_block(receipt["blockNumber"])
        address = Web3.to_checksum_address(self.registry.address)
        events = [decode_log(log) for log in receipt["logs"] if log["address"] == address]
        return Mined(receipt["gasUsed"], block["timestamp"], receipt["blockNumber"], events)

    def deploy(self, name: str, *args: Any, value: int = 0) -> Any:
        """Deploy a contract of the project, mocks included; returns a web3 contract.

        ContractError if it is refused.
        """
        self._tick()
        factory = self.w3.eth.contract(abi=abi(name), bytecode=bytecode(name))
        sender = self.w3.eth.accounts[0]
        tx_hash = factory.constructor(*args).transact({"from": sender, "gas": GAS, "value": value})
        return self.w3.eth.contract(self._mined(tx_hash)["contractAddress"], abi=abi(name))

    def transact(self, sender: bytes, function: Any, value: int = 0) -> Mined:
        """Send a bound function of a web3 contract."""
        data = bytes.fromhex(function._encode_transaction_data()[2:])
        to = bytes.fromhex(function.address[2:])
        return self.send_call(sender, Call(to, data, value, function.fn_name))

    def balance(self, asset: bytes, account: bytes) -> int:
        """What an account holds outside of the registry."""
        if asset == bytes(20):
            return self.w3.eth.get_balance(Web3.to_checksum_address(account))
        token = self.w3.eth.contract(Web3.to_checksum_address(asset), abi=abi("MockToken"))
        return token.functions.balanceOf(Web3.to_checksum_address(account)).call()

    def ledger(self) -> Ledger:
        """What the events say."""
        first = self.deployed["blockNumber"]
        return read_ledger(self.registry, first_block=first)

    @contextlib.contextmanager
    def isolated(self) -> Iterator[None]:
        """Undo everything at the end."""
        revert = self.snapshot()
        try:
            yield
        finally:
            revert()

    def snapshot(self) -> Callable[[], None]:
        """Note how things are; what is returned brings that back."""
        taken = self.w3.provider.make_request("evm_snapshot", [])["result"]

        def revert() -> None:
            self.w3.provider.make_request("evm_revert", [taken])

        return revert

    def _tick(self) -> None:
        """A second a block, unless told otherwise: nothing depends on how fast a test runs."""
        if not self._timed:
            set_next_timestamp(self.w3, self.now + 1)
        self._timed = False

    def _transact(self, sender: bytes, call: Call) -> Any:
        self._tick()
        tx_hash = self.w3.eth.send_transaction(
            {
                "from": Web3.to_checksum_address(sender),
                "to": Web3.to_checksum_address(call.to),
                "data": "0x" + call.data.hex(),
                "value": call.value,
                "gas": GAS,
            }
        )
        return self._mined(tx_hash)

    def _mined(self, tx_hash: bytes) -> Any:
        """The receipt of a transaction; ContractError if it was reverted."""
        receipt = self.w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.005)
        if receipt["status"] != 1:
            trace = self.w3.provider.make_request(
                "debug_traceTransaction", ["0x" + tx_hash.hex(), {"tracer": "callTracer"}]
            )
            output = trace["result"].get("output", "0x")
            raise decode_revert(bytes.fromhex(output[2:]))
        return receipt


class ChainSender:
    """A Sender of the package for an unlocked account."""

    def __init__(self, chain: Chain, address: bytes) -> None:
        self._chain, self.address = chain, address

    def simulate(self, call: Call) -> int:
        from tallystick.chain.sender import estimate

        return estimate(self._chain.w3, self.address, call)

    def send(self, call: Call) -> Sent:
        receipt = self._chain._transact(self.address, call)
        return Sent(bytes(receipt["transactionHash"]), receipt["blockNumber"], receipt["gasUsed"])

    def sign(self, domain: Domain, struct_hash: bytes) -> bytes:
        raise AssertionError("the node keeps this account's key")


@contextlib.contextmanager
def reverts(name: str, **arguments: Any) -> Iterator[None]:
    """Expect a custom error with at least these arguments; `from_` stands for `from`."""
    try:
        yield
    except ContractError as error:
        assert error.name == name, f"reverted with {error}; expected {name}"
        for key, value in arguments.items():
            found = error.args_by_name[key.rstrip("_")]
            if isinstance(value, bytes) and isinstance(found, str):
                found = bytes.fromhex(found[2:])
            assert found == value, f"{error}: {key} is not {value!r}"
    else:
        raise AssertionError(f"did not revert; expected {name}")
