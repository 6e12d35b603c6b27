"""Stand-ins of foreign networks' contracts, compiled when tests need them: none is packaged."""

import hashlib
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from web3.contract import Contract

from tests.support.builds import ROOT
from tests.support.chain import GAS, Chain

FOLDER = ROOT / "tests" / "standins"
SOLC = ROOT / "tools" / "solc" / "solc-v0.8.37"
CACHE = ROOT / ".cache" / "standins"


@cache
def compiled() -> dict[str, dict[str, Any]]:
    """ABI and creation code of each stand-in, by name; kept until a source changes."""
    sources = {path.name: {"content": path.read_text()} for path in sorted(FOLDER.glob("*.sol"))}
    request = json.dumps(
        {
            "language": "Solidity",
            "sources": sources,
            "settings": {
                "optimizer": {"enabled": True},
                "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
            },
        }
    )
    kept = CACHE / f"{hashlib.sha256(request.encode()).hexdigest()}.json"
    if not kept.exists():
        done = subprocess.run(
            [SOLC, "--standard-json"], input=request, capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout)
        assert "contracts" in found, found
        wrong = [one for one in found.get("errors", ()) if one["severity"] == "error"]
        assert not wrong, wrong[0]["formattedMessage"]
        _write(kept, found["contracts"])
    units = json.loads(kept.read_text())
    return {
        name: {"abi": one["abi"], "bytecode": one["evm"]["bytecode"]["object"]}
        for contracts in units.values()
        for name, one in contracts.items()
    }


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


class Standin:
    """A stand-in on a chain, called by its functions' names."""

    def __init__(self, chain: Chain, name: str, *args: Any) -> None:
        self._chain = chain
        kind = compiled()[name]
        chain._tick()
        factory = chain.w3.eth.contract(abi=kind["abi"], bytecode=kind["bytecode"])
        sender = chain.w3.eth.accounts[0]
        tx_hash = factory.constructor(*args).transact({"from": sender, "gas": GAS})
        receipt = chain._mined(tx_hash)
        self.first_block: int = receipt["blockNumber"]
        self.contract: Contract = chain.w3.eth.contract(receipt["contractAddress"], abi=kind["abi"])

    @property
    def address(self) -> bytes:
        return bytes.fromhex(self.contract.address[2:])

    def at(self, other: "Standin") -> "Standin":
        """The same functions at another address, which passes them on."""
        found = object.__new__(Standin)
        found._chain, found.first_block = self._chain, other.first_block
        found.contract = self._chain.w3.eth.contract(other.contract.address, abi=self.contract.abi)
        return found

    def send(self, function: str, *args: Any, sender: int = 0) -> None:
        """Send a call from one of the accounts."""
        bound = getattr(self.contract.functions, function)(*args)
        self._chain.transact(self._chain.accounts[sender], bound)

    def data(self, function: str, *args: Any) -> bytes:
        """The calldata of a call."""
        bound = getattr(self.contract.functions, function)(*args)
        return bytes.fromhex(bound._encode_transaction_data()[2:])
