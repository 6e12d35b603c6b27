"""A Replay, or a game, in an in-process EVM: fast enough to try thousands of models."""

import re
from typing import Any

import pyrevm
from eth_abi import decode, encode
from eth_utils.abi import collapse_if_tuple

from tallystick.chain.abi import signature_hash
from tallystick.chain.revert import ContractError
from tallystick.protocol.enums import Ruling
from tallystick.protocol.hexes import checksummed, from_hex
from tests.support.builds import abi, bytecode
from tests.support.plain_qi8 import Net

CALLER = checksummed(bytes([16]) * 20)
SOME = checksummed(bytes([17]) * 20)
"""A contract that does nothing."""
GAS = 10**9
CODE_SIZE = 2**24
"""EIP-170 is off: code with many mutants in it is large."""


class Caller:
    """Static calls of a deployed contract; ContractError if it refuses."""

    def __init__(self, name: str, *args: str) -> None:
        config = pyrevm.CfgEnv(limit_contract_code_size=CODE_SIZE)
        self.evm = pyrevm.EVM(env=pyrevm.Env(cfg=config), spec_id="Cancun", gas_limit=GAS)
        self.evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=1, gas_limit=GAS))
        self.evm.insert_account_info(SOME, pyrevm.AccountInfo(code=b"\0"))
        code = bytes.fromhex(bytecode(name)[2:]) + encode(["address"] * len(args), args)
        self.address = from_hex(self.evm.deploy(CALLER, code), 20)
        entries = abi(name)
        self._functions = {e["name"]: e for e in entries if e["type"] == "function"}
        self._errors = {signature_hash(e)[:4]: e for e in entries if e["type"] == "error"}
        self.gas_used = 0
        """Gas of the last call, as a transaction."""
        self.calldata_gas = 0
        """What of it calldata costs."""

    def call(self, name: str, *args: Any) -> Any:
        entry = self._functions[name]
        types = [collapse_if_tuple(argument) for argument in entry["inputs"]]
        data = signature_hash(entry)[:4] + encode(types, args)
        try:
            answer = self.evm.message_call(
                CALLER, checksummed(self.address), calldata=data, gas=GAS, is_static=True
            )
        except RuntimeError as error:
            output = re.search("output: (0x[0-9a-f]*)", str(error))
            raise self.refusal(bytes.fromhex(output[1][2:]) if output else b"") from error
        self.gas_used = self.evm.result.gas_used
        self.calldata_gas = 16 * len(data) - 12 * data.count(0)
        (value,) = decode([collapse_if_tuple(out) for out in entry["outputs"]], bytes(answer))
        return value

    def refusal(self, data: bytes) -> ContractError:
        """Return what revert data says, as an exception to raise."""
        entry = self._errors.get(data[:4])
        if entry is None:
            return ContractError("Reverted", {}, data)
        inputs = entry["inputs"]
        values = decode([collapse_if_tuple(argument) for argument in inputs], data[4:])
        names = [argument["name"] for argument in inputs]
        return ContractError(entry["name"], dict(zip(names, values, strict=True)), data)


class Replayer(Caller):
    """Calls of a Replay."""

    def __init__(self) -> None:
        super().__init__("Replay")

    def run(self, steps: bytes, rows: bytes, data: bytes) -> bytes:
        return self.call("run", steps, rows, data)

    def run_net(self, net: Net, data: bytes) -> bytes:
        return self.run(net.steps, net.rows, data)

    def rule(self, inference: tuple[Any, ...], evidence: bytes) -> Ruling:
        return Ruling(self.call("rule", bytes(32), inference, 0, evidence))
