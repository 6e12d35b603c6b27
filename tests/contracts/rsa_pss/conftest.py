"""The library of keys in an in-process EVM."""

import pytest
from eth_abi import encode

from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256
from tests.support.builds import bytecode

pyrevm = pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

CALLER = checksummed(bytes([17]) * 20)
SELECTOR = keccak256(b"signed(bytes,bytes32,bytes)")[:4]
ACCEPTED = bytes(31) + b"\1"
REFUSED = bytes(32)


class Verifier:
    """Asks the contract; every answer must be one of the two."""

    def __init__(self) -> None:
        # EIP-170 is off: code with many mutants in it is large.
        config = pyrevm.CfgEnv(limit_contract_code_size=2**24)
        self.evm = pyrevm.EVM(env=pyrevm.Env(cfg=config), spec_id="Osaka", gas_limit=10**9)
        self.evm.set_balance(CALLER, 10**30)
        code = bytes.fromhex(bytecode("KeyChecker").removeprefix("0x"))
        self.address = self.evm.deploy(CALLER, code)

    def call(self, key: bytes, message: bytes, signature: bytes, gas: int = 10**6) -> bytes:
        data = SELECTOR + encode(["bytes", "bytes32", "bytes"], [key, message, signature])
        return bytes(self.evm.message_call(CALLER, self.address, calldata=data, gas=gas))

    def accepts(self, key: bytes, message: bytes, signature: bytes) -> bool:
        answer = self.call(key, message, signature)
        assert answer in (ACCEPTED, REFUSED)
        return answer == ACCEPTED


@pytest.fixture(scope="session")
def verifier() -> Verifier:
    return Verifier()
