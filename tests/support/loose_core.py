"""A registry that also emits what no registry does: for what reads events."""

from typing import Any

from web3 import Web3

from tallystick.chain.call import Call
from tallystick.protocol.keccak import keccak256
from tests.support.builds import abi, runtime
from tests.support.chain import Chain, Mined
from tests.support.raw_logs import raw_log

_CODE = b"\xc0\xde" * 10
"""Where the registry's own code goes."""


class LooseCore:
    """A chain's registry from now on; everything else works as before."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        address = Web3.to_checksum_address(chain.registry.address)
        own = chain.w3.eth.get_code(address)
        self._ask("anvil_setCode", "0x" + _CODE.hex(), "0x" + own.hex().removeprefix("0x"))
        slot = "0x" + keccak256(b"LooseCore.code").hex()
        self._ask("anvil_setStorageAt", address, slot, "0x" + _CODE.rjust(32, b"\0").hex())
        self._ask("anvil_setCode", address, "0x" + runtime("LooseCore").hex())
        self._registry = chain.w3.eth.contract(address, abi=abi("LooseCore"))

    def emit(self, name: str, *values: Any) -> Mined:
        """Emit an event of the registry; values in the order of its ABI, strings as bytes too."""
        return self._chain.send_call(self._chain.accounts[9], self.call(name, *values))

    def call(self, name: str, *values: Any) -> Call:
        """The call that emits an event."""
        log = raw_log(name, *values)
        function = self._registry.functions.emitLog(list(log.topics), log.data)
        encoded = bytes.fromhex(function._encode_transaction_data()[2:])
        return Call(self._chain.registry.address, encoded, 0, "emitLog")

    def _ask(self, method: str, *params: Any) -> None:
        answer = self._chain.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
