"""An account of Ape as a Sender: a keyfile, a hardware wallet, or one of the test accounts."""

from typing import Any

from web3 import Web3

from tallystick.chain.call import Call
from tallystick.chain.sender import Sent, estimate, refusal


class ApeSender:
    """Signs with an account of Ape; needs a connected provider.

    Args:
        account: of `ape.accounts`, loaded.
    """

    def __init__(self, account: Any) -> None:
        self._account = account

    @property
    def address(self) -> bytes:
        """The account, 20 bytes."""
        return bytes.fromhex(self._account.address[2:])

    @property
    def _w3(self) -> Web3:
        found: Web3 = self._account.provider.web3
        return found

    def simulate(self, call: Call) -> int:
        """Return the gas that the call would use now; ContractError if it would be refused."""
        return estimate(self._w3, self.address, call)

    def send(self, call: Call) -> Sent:
        """Send the call and wait until a block holds it; errors as of Sender."""
        from ape.exceptions import ContractLogicError

        gas = self.simulate(call)
        transaction = self._account.provider.network.ecosystem.create_transaction(
            # The network "local" stands for chains of any id.
            chainId=self._w3.eth.chain_id,
            receiver=Web3.to_checksum_address(call.to),
            data=call.data,
            value=call.value,
            # The state may have moved by the time it is mined: a fifth more than estimated.
            gas_limit=gas * 6 // 5,
        )
        try:
            receipt = self._account.call(transaction)
        except ContractLogicError as error:
            block = self._w3.eth.block_number
            raise refusal(self._w3, self.address, call, block) from error
        if receipt.failed:
            raise refusal(self._w3, self.address, call, receipt.block_number)
        return Sent(
            bytes.fromhex(receipt.txn_hash.removeprefix("0x")),
            receipt.block_number,
            receipt.gas_used,
        )
