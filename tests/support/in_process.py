"""What Chain and the contracts' tests use of anvil's JSON-RPC, over an EVM in this process.

No node, no sockets, no blocks but numbers and times: a test takes milliseconds. Osaka's P-256
precompile, EIP-7702 and gas as a node bills it are not here; a test that asks for a method which
is not here is skipped.
"""

import re
from collections.abc import Callable
from typing import Any

import pyrevm
import pytest
import rlp
from web3 import Web3
from web3.providers.base import BaseProvider

from tallystick.chain.deploy import DEPLOYER, DEPLOYER_TRANSACTION
from tallystick.protocol.hexes import checksummed
from tallystick.protocol.keccak import keccak256

CHAIN_ID = 31337
ACCOUNTS = [
    # The first ten of anvil's mnemonic: the same as localnet's.
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
]
BALANCE = 10_000 * 10**18
NOBODY = "0x" + "00" * 20
GAS = 2**27
"""A call's, whatever it asks for: code without the optimiser needs more than tests allow."""
CODE_SIZE = 2**24
"""EIP-170 is off: code with many mutants in it is large."""

DEPLOYER_CODE = DEPLOYER_TRANSACTION.partition(bytes.fromhex("f350fe"))[2][:69]

# EIP-2935's history contract, and where it keeps block n's hash: at n % 8191.
HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
HISTORY_SERVES = 8191
HISTORY_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff"
    "81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)


class InProcess(BaseProvider):
    """A web3 provider; one block a transaction, as anvil mines.

    Args:
        timestamp: Unix seconds of the genesis block.
    """

    def __init__(self, timestamp: int) -> None:
        super().__init__()
        config = pyrevm.CfgEnv(chain_id=CHAIN_ID, limit_contract_code_size=CODE_SIZE)
        self._evm = pyrevm.EVM(env=pyrevm.Env(cfg=config), spec_id="Osaka", gas_limit=GAS)
        self._number, self._time, self._next_time = 0, timestamp, 0
        self._times = [timestamp]
        self._receipts: list[dict[str, Any]] = []
        self._outputs: list[bytes] = []
        self._logs: list[dict[str, Any]] = []
        self._snapshots: list[tuple[Any, ...]] = []
        self._nonces: dict[str, int] = {}
        for account in ACCOUNTS:
            self._evm.set_balance(account, BALANCE)
        self._put_code(checksummed(DEPLOYER), DEPLOYER_CODE)
        self._put_code(HISTORY, HISTORY_CODE)
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_accounts": lambda: ACCOUNTS,
            "eth_chainId": lambda: hex(CHAIN_ID),
            "eth_blockNumber": lambda: hex(self._number),
            "eth_gasPrice": lambda: "0x0",
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_sendTransaction": self._send,
            "eth_getTransactionReceipt": lambda tx_hash: self._receipts[int(tx_hash, 16) - 1],
            "eth_getBlockByNumber": self._block,
            "eth_getBalance": lambda account, _: hex(self._evm.get_balance(account)),
            "eth_getCode": lambda account, _: _hex(self._evm.get_code(account) or b""),
            "eth_getStorageAt": self._storage,
            "eth_getTransactionCount": lambda account, _: hex(self._nonces.get(account, 0)),
            "eth_getLogs": self._get_logs,
            "evm_snapshot": self._snapshot,
            "evm_revert": self._revert,
            "evm_setNextBlockTimestamp": self._set_next_time,
            "anvil_mine": self._mine,
            "anvil_setStorageAt": self._set_storage,
            "anvil_setBalance": self._set_balance,
            # Nobody signs here.
            "anvil_impersonateAccount": lambda account: None,
            "anvil_setCode": lambda account, code: self._put_code(account, bytes.fromhex(code[2:])),
            "debug_traceTransaction": lambda tx_hash, _: {
                "output": _hex(self._outputs[int(tx_hash, 16) - 1])
            },
        }

    def make_request(self, method: Any, params: Any) -> Any:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": 1}
        if method not in self._methods:
            pytest.skip(f"{method} needs anvil")
        try:
            return answer | {"result": self._methods[method](*params)}
        except _Refused as refused:
            error = {"code": 3, "message": "execution reverted", "data": _hex(refused.output)}
            return answer | {"error": error}

    def is_connected(self, show_traceback: bool = False) -> bool:
        return True

    # The EVM

    def _put_code(self, account: str, code: bytes) -> None:
        self._evm.insert_account_info(account, pyrevm.AccountInfo(code=code))

    def _set_balance(self, account: str, balance: str) -> None:
        self._evm.set_balance(account, int(balance, 16))

    def _env(self, number: int, timestamp: int) -> None:
        self._evm.set_block_env(
            pyrevm.BlockEnv(number=number, timestamp=timestamp, gas_limit=GAS, basefee=0)
        )
        self._evm.reset_transient_storage()

    def _run(self, transaction: dict[str, Any]) -> bytes:
        data = bytes.fromhex(transaction.get("data", transaction.get("input", "0x"))[2:])
        try:
            answer = self._evm.message_call(
                transaction.get("from", NOBODY),
                transaction["to"],
                calldata=data,
                value=_number(transaction.get("value", 0)),
                gas=GAS,
            )
        except RuntimeError as error:
            raise _Refused.of(error) from error
        return bytes(answer)

    def _undone(self, transaction: dict[str, Any]) -> bytes:
        """Run what leaves no trace."""
        before = self._evm.snapshot()
        try:
            return self._run(transaction)
        finally:
            self._evm.revert(before)

    def _call(self, transaction: dict[str, Any], *_: Any) -> str:
        self._env(self._number, self._time)
        return _hex(self._undone(transaction))

    def _estimate(self, transaction: dict[str, Any], *_: Any) -> str:
        self._env(self._number + 1, self._time + 1)
        self._undone(transaction)
        return hex(self._evm.result.gas_used)

    def _send(self, transaction: dict[str, Any]) -> str:
        self._next_block()
        sender = transaction["from"]
        before = self._evm.snapshot()
        status, output, logs, created = 1, b"", [], None
        try:
            if "to" in transaction:
                output = self._run(transaction)
            else:
                created = self._create(transaction)
            logs = self._evm.result.logs
            self._evm.commit()
        except _Refused as refused:
            self._evm.revert(before)
            status, output = 0, refused.output
            if "to" not in transaction:
                raw = bytes.fromhex(sender[2:]), self._evm.basic(sender).nonce
                created = checksummed(keccak256(rlp.encode(raw))[12:])
        self._nonces[sender] = self._nonces.get(sender, 0) + 1
        tx_hash = _word(len(self._receipts) + 1)
        mined = [self._log(log, place, tx_hash) for place, log in enumerate(logs)]
        self._logs += mined
        self._outputs.append(output)
        self._receipts.append(
            {
                "transactionHash": tx_hash,
                "transactionIndex": "0x0",
                "blockNumber": hex(self._number),
                "blockHash": self._hash(self._number),
                "from": sender,
                "to": transaction.get("to"),
                "contractAddress": created,
                "status": hex(status),
                "gasUsed": hex(self._evm.result.gas_used if status else 0),
                "logs": mined,
            }
        )
        return tx_hash

    def _create(self, transaction: dict[str, Any]) -> str:
        code = bytes.fromhex(transaction["data"][2:])
        value = _number(transaction.get("value", 0))
        try:
            return str(self._evm.deploy(transaction["from"], code, value=value, gas=GAS))
        except RuntimeError as error:
            raise _Refused.of(error) from error

    def _set_storage(self, account: str, place: str, value: str) -> bool:
        self._evm.insert_account_storage(account, _number(place), _number(value))
        return True

    def _storage(self, account: str, place: Any, *_: Any) -> str:
        return _word(self._evm.storage(account, _number(place)))

    # Blocks

    def _next_block(self) -> None:
        self._insert_hash()
        self._number += 1
        self._time, self._next_time = self._next_time or self._time + 1, 0
        self._times.append(self._time)
        self._env(self._number, self._time)

    def _insert_hash(self) -> None:
        place, value = self._number % HISTORY_SERVES, int(self._hash(self._number), 16)
        self._evm.insert_account_storage(HISTORY, place, value)

    def _mine(self, blocks: str = "0x1", interval: str = "0x1") -> None:
        for _ in range(_number(blocks)):
            self._next_time = self._next_time or self._time + _number(interval)
            self._next_block()

    def _set_next_time(self, timestamp: Any) -> None:
        if _number(timestamp) < self._time:
            raise ValueError(f"{timestamp} is before the latest block's {self._time}")
        self._next_time = _number(timestamp)

    def _hash(self, number: int) -> str:
        return _hex(self._evm.block_hash(number))

    def _block(self, number: Any, *_: Any) -> dict[str, Any]:
        found = self._number_of(number)
        return {
            "number": hex(found),
            "hash": self._hash(found),
            "timestamp": hex(self._times[found]),
            "gasLimit": hex(GAS),
            "baseFeePerGas": "0x0",
            "transactions": [],
        }

    def _number_of(self, block: Any) -> int:
        return self._number if block in ("latest", "pending") else _number(block)

    def _snapshot(self) -> str:
        before = self._evm.snapshot()
        marks = self._number, self._time, len(self._times), len(self._logs), len(self._receipts)
        self._snapshots.append((before, *marks))
        return hex(len(self._snapshots))

    def _revert(self, snapshot: str) -> bool:
        before, self._number, self._time, times, logs, receipts = self._snapshots[
            _number(snapshot) - 1
        ]
        del self._snapshots[_number(snapshot) - 1 :]
        del self._times[times:], self._logs[logs:]
        del self._receipts[receipts:], self._outputs[receipts:]
        self._next_time = 0
        self._evm.revert(before)
        return True

    # Logs

    def _log(self, log: Any, place: int, tx_hash: str) -> dict[str, Any]:
        data = log.data[1] if isinstance(log.data, tuple) else log.data
        return {
            "address": log.address,
            "topics": list(log.topics),
            "data": _hex(bytes(data)),
            "blockNumber": hex(self._number),
            "blockHash": self._hash(self._number),
            "transactionHash": tx_hash,
            "transactionIndex": "0x0",
            "logIndex": hex(place),
            "removed": False,
        }

    def _get_logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first = self._number_of(wanted.get("fromBlock", "latest"))
        last = self._number_of(wanted.get("toBlock", "latest"))
        addresses = _choices(wanted.get("address"))
        topics = [_choices(topic) for topic in wanted.get("topics", [])]
        return [
            log
            for log in self._logs
            if first <= int(log["blockNumber"], 16) <= last
            and (addresses is None or log["address"].lower() in addresses)
            and len(log["topics"]) >= len(topics)
            and all(
                topic is None or found in topic
                for topic, found in zip(topics, log["topics"], strict=False)
            )
        ]


class _Refused(Exception):
    """A call that reverted or halted; `output` is its revert data."""

    def __init__(self, output: bytes) -> None:
        super().__init__(output)
        self.output = output

    @classmethod
    def of(cls, error: RuntimeError) -> "_Refused":
        found = re.search("output: 0x([0-9a-f]*)", str(error))
        return cls(bytes.fromhex(found[1]) if found else b"")


def in_process(timestamp: int) -> Web3:
    """A Web3 over an EVM of its own."""
    return Web3(InProcess(timestamp))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _word(value: int) -> str:
    return f"0x{value:064x}"


def _choices(wanted: Any) -> set[str] | None:
    """What a filter's address or topic allows; None for anything."""
    if wanted is None:
        return None
    return {str(one).lower() for one in (wanted if isinstance(wanted, list) else [wanted])}


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
