"""An in-process EVM: deploy, send, read storage."""

import re
from functools import cache
from typing import Any

import pyrevm

from tallystick.chain.abi import signature_hash
from tallystick.chain.revert import ContractError, decode_revert
from tallystick.protocol.hexes import checksummed, from_hex
from tests.support.builds import manifest
from tests.support.in_process import HISTORY, HISTORY_CODE, HISTORY_SERVES

GENESIS = 1_800_000_000
GAS = 10**9
READER = bytes([88]) * 20
PLENTY = 10**30
"""Wei of an account that pays."""


class World:
    """A chain with a clock that only the caller moves."""

    def __init__(self) -> None:
        self.evm = pyrevm.EVM(spec_id="Cancun", gas_limit=GAS)
        self.now, self.block = GENESIS, 1
        self._to_keep: set[int] = set()
        self.touched = True
        """Whether anything may have changed since somebody set this to False."""
        self._set_block()

    def wait(self, until: int, blocks: int = 1) -> None:
        """Begin the next block, or the one after some more, at a time in Unix seconds."""
        self.now, self.block = until, self.block + blocks
        self._set_block()
        for number in sorted(one for one in self._to_keep if one < self.block):
            self._to_keep.remove(number)
            self.keep_hash(number)

    def keep_hashes(self) -> None:
        """Let the chain have EIP-2935's history contract."""
        self.evm.insert_account_info(HISTORY, pyrevm.AccountInfo(code=HISTORY_CODE))

    def keep_hash(self, number: int) -> bytes:
        """Have the history contract know a block's hash, while the block is one of the last 8,191.

        The block may be to come.
        """
        known = bytes(self.evm.block_hash(number))
        if number >= self.block:
            self._to_keep.add(number)
        elif number >= self.block - HISTORY_SERVES:
            place, word = number % HISTORY_SERVES, int.from_bytes(known, "big")
            self.evm.insert_account_storage(HISTORY, place, word)
        return known

    def block_hash(self, number: int) -> bytes:
        """Return what the opcode gives: zero unless of the last 256 blocks."""
        if not self.block - 256 <= number < self.block:
            return bytes(32)
        return bytes(self.evm.block_hash(number))

    def give(self, account: bytes, wei: int) -> None:
        """Set an account's coins."""
        self.touched = True
        self.evm.set_balance(checksummed(account), wei)

    def balance(self, account: bytes) -> int:
        return int(self.evm.get_balance(checksummed(account)))

    def deploy(self, sender: bytes, code: bytes) -> bytes:
        """Run creation code, with its arguments; return the contract's address."""
        self.touched = True
        return from_hex(self.evm.deploy(checksummed(sender), code), 20)

    def send(self, sender: bytes, to: bytes, data: bytes, value: int = 0) -> bytes:
        """Send a transaction; return its answer.

        Raises:
            ContractError: it was refused, and has changed nothing.
        """
        self.evm.reset_transient_storage()
        snapshot = self.evm.snapshot()
        try:
            answer = self.evm.message_call(
                checksummed(sender), checksummed(to), calldata=data, value=value, gas=10**8
            )
        except RuntimeError as error:
            self.evm.revert(snapshot)
            raise _refusal(error) from error
        self.evm.commit()
        self.touched = True
        return bytes(answer)

    def ask(self, to: bytes, data: bytes) -> bytes:
        """Call a view; ContractError if it refuses."""
        self.evm.reset_transient_storage()
        try:
            answer = self.evm.message_call(
                checksummed(READER), checksummed(to), calldata=data, gas=10**8, is_static=True
            )
        except RuntimeError as error:
            raise _refusal(error) from error
        return bytes(answer)

    def logs(self, address: bytes) -> list[tuple[list[bytes], bytes]]:
        """Return topics and data of what the last transaction logged at a contract."""
        found = []
        for log in self.evm.result.logs:
            if from_hex(log.address, 20) == address:
                data = log.data[1] if isinstance(log.data, tuple) else log.data
                found.append(([from_hex(topic, 32) for topic in log.topics], bytes(data)))
        return found

    def word(self, account: bytes, slot: int) -> int:
        """Return a word of storage."""
        return int(self.evm.storage(checksummed(account), slot))

    def set_word(self, account: bytes, slot: int, value: int) -> None:
        """Change a word of storage, which no transaction of the chain could."""
        self.touched = True
        self.evm.insert_account_storage(checksummed(account), slot, value)

    def _set_block(self) -> None:
        self.evm.set_block_env(
            pyrevm.BlockEnv(number=self.block, timestamp=self.now, gas_limit=GAS)
        )


def _refusal(failure: RuntimeError) -> Exception:
    output = re.search("output: (0x[0-9a-f]*)", str(failure))
    if output is None:
        return failure  # Out of gas, or no transaction at all: no answer of the contract.
    data = bytes.fromhex(output[1][2:])
    error = decode_revert(data)
    if error.name == "UnknownError":
        return ContractError(_errors().get(data[:4], error.name), {"data": data}, data)
    return error


@cache
def _errors() -> dict[bytes, str]:
    """Names of all contracts' errors, mocks' included, by selector."""
    entries: list[dict[str, Any]] = [
        entry
        for built in manifest().values()
        for entry in built.get("abi", ())
        if entry["type"] == "error"
    ]
    return {signature_hash(entry)[:4]: str(entry["name"]) for entry in entries}
