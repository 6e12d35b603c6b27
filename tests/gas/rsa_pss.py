"""Print what enclaves' signatures cost: whole transactions, steady state, Osaka's rules.

`python -m tests.gas.rsa_pss`; JSON=1 for one object a line. All inputs are fixed, so each figure
is exact and the same on every machine.
"""

import json
import os

from eth_abi import encode
from rich.console import Console
from rich.table import Table

from tallystick.chain.call import Call, encode_call
from tallystick.chain.localnet import localnet
from tallystick.protocol.enclave import sign_batch
from tallystick.protocol.enums import Grade
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.opengradient_item import Item
from tests.gas.bench import GENESIS
from tests.support.chain import Chain
from tests.support.enclave import (
    address_of,
    endorsed,
)
from tests.support.enclave_http import NAME, HttpEnclave, answered, http_network
from tests.support.keys import HeldKey, held_account, held_p256, seeded_rsa
from tests.support.story import HOUR, Committed, Network, register

CEILING = 120_000
"""Gas of whatever checks one signature of an RSA-2048 key with the exponent 65537."""
BITS = (2048, 3072, 4096)
BODIES = (1_000, 10_000, 90_000)
"""Bytes of a request and its answer together."""


class Signatures:
    """An operator with a key of each kind, in one network for each resolver."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.owner, self.operator, self.sender = chain.accounts[1:4]
        self.checker = address_of(chain.deploy("KeyChecker"))
        self.rsa = {bits: seeded_rsa(bits) for bits in BITS}
        self.enclave = endorsed(chain, "Enclave")
        self.item = endorsed(chain, "OpenGradientItem", HOUR)

    def figures(self) -> dict[str, float]:
        """Return gas by operation."""
        found: dict[str, float] = {}
        for bits, key in self.rsa.items():
            found[f"verify, RSA-{bits}"] = self._verify(key)
        network = self._network(self.enclave.address, 0)
        keys = {"an EOA": held_account(), "P-256": held_p256()}
        keys |= {f"RSA-{bits}": key for bits, key in self.rsa.items()}
        for name, key in keys.items():
            self.enclave.endorse(key, self.operator)
            found[f"attest a batch, {name}"] = self._attest(network, key)
        network = self._network(self.item.address, 1)
        self.item.endorse(self.rsa[2048], self.operator)
        return found | self._item(network, self.rsa[2048]) | self._http()

    def _network(self, resolver: bytes, salt: int) -> Network:
        places = (bytes(20), resolver, bytes(20))
        network = register(self.chain, self.owner, salt=salt, attestors=places)
        network.join(self.operator)
        network.final(self.operator, count=1)
        return network

    def _verify(self, key: HeldKey) -> int:
        message = keccak256(b"message")
        arguments = [key.key, message, key.sign(message)]
        data = encode(["bytes", "bytes32", "bytes"], arguments)
        call = Call(self.checker, keccak256(b"signed(bytes,bytes32,bytes)")[:4] + data)
        answer = self.chain.w3.eth.call(
            {"to": self.chain.w3.to_checksum_address(self.checker), "data": "0x" + call.data.hex()}
        )
        if int.from_bytes(answer, "big") != 1:
            raise AssertionError("the signature is refused")
        return self.chain.send_call(self.sender, call).gas_used

    def _attest(self, network: Network, key: HeldKey) -> int:
        with self.chain.isolated():
            batch = network.commit(self.operator, count=1000)
            evidence = sign_batch(self.enclave.domain, batch.batch, key.key, key.sign)
            return self._graded(batch, evidence)

    def _item(self, network: Network, key: HeldKey) -> dict[str, float]:
        batch = network.commit(self.operator, count=1)
        inference = batch.inferences[0]
        item = Item(inference.input_hash, inference.output_hash, batch.stamp.committed_at)
        arguments = item.hash(), batch.id
        claim = encode_call("OpenGradientItem", self.item.address, "claim", *arguments)
        claimed = self.chain.send_call(self.operator, claim).gas_used
        evidence = item.evidence(inference, key.key, key.sign(item.hash()))
        return {
            "claim an item": claimed,
            "attest an item, RSA-2048": self._graded(batch, evidence),
        }

    def _http(self) -> dict[str, float]:
        """Attest HTTP bodies of some lengths in the named form."""
        resolver = endorsed(self.chain, "EnclaveHttp", True)
        network, model = http_network(self.chain, resolver, self.operator, salt=2)
        network.final(self.operator, count=1)
        enclave = HttpEnclave()
        resolver.endorse(enclave.held, self.operator)
        found: dict[str, float] = {}
        for length in BODIES:
            with self.chain.isolated():
                answer = enclave.answer(b"r" * (length // 3), b"a" * (length - length // 3), NAME)
                batch = network.commit(self.operator, count=1, shape=answered(answer))
                claim = resolver.contract.functions.claim(answer.item(), batch.id)
                self.chain.transact(self.operator, claim)
                evidence = answer.evidence(batch.inferences[0], model)
                name = f"attest an HTTP answer, {length:,} bytes"
                found[name] = self._graded(batch, evidence)
        return found

    def _graded(self, batch: Committed, evidence: bytes) -> int:
        arguments = batch.batch.abi(), batch.stamp.pack(), int(Grade.ENCLAVE), evidence
        return self.chain.send(self.sender, "attest", *arguments).gas_used


def ceiling(name: str) -> int | None:
    """Return what an operation may cost, or None where nothing is promised."""
    return CEILING if name.endswith("RSA-2048") else None


def measure() -> dict[str, float]:
    with localnet(timestamp=GENESIS) as w3:
        return Signatures(Chain(w3)).figures()


def main() -> None:
    figures = measure()
    if os.environ.get("JSON") == "1":
        for name, value in figures.items():
            limit = {"ceiling": ceiling(name)} if ceiling(name) else {}
            print(json.dumps({"name": name, "value": value, "unit": "gas", **limit}))
        return
    table = Table("operation", "gas", "ceiling", title="Gas, whole transactions, Osaka")
    for name, value in figures.items():
        limit = ceiling(name)
        table.add_row(name, f"{value:,}", f"{limit:,}" if limit else "")
    Console().print(table)


if __name__ == "__main__":
    main()
