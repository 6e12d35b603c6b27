"""circom and snarkjs: a circuit of two neurons, set up and proven at test time."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tallystick.protocol.keccak import keccak256
from tallystick.protocol.proof import Circuit, Encoding
from tallystick.zk.verifier import compile_verifier
from tests.support.builds import ROOT
from tests.support.chain import Chain
from tests.support.enclave import address_of
from tests.support.proof import ProofPlace, code_hash_at, proof_place

INPUT, OUTPUT = Encoding(3, 1, False), Encoding(2, 4, False)
BASE = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""Modulus of the points' coordinates."""

CIRCUIT = """pragma circom 2.0.0;

// Two neurons over three inputs, with a square for an activation.
template Neurons() {
    signal input x[3];
    signal output y[2];
    signal sums[2];
    sums[0] <== 2 * x[0] + 3 * x[1] - x[2] + 1;
    sums[1] <== x[0] - 5 * x[1] + 4 * x[2];
    y[0] <== sums[0] * sums[0];
    y[1] <== sums[1] * sums[1];
}

component main {public [x]} = Neurons();
"""
BIN = ROOT / "tools" / "zk" / "node_modules" / ".bin"


@dataclass
class Answer:
    """A leaf's bytes with the proof's eight words."""

    input: bytes
    output: bytes
    proof: bytes

    @property
    def pair(self) -> tuple[bytes, bytes]:
        return self.input, self.output


@dataclass
class Scene:
    """A network with the circuit, and the verifier behind its wrapper."""

    place: ProofPlace
    target: bytes


@dataclass
class Groth16:
    """A circuit that is set up, in its folder."""

    folder: Path

    @classmethod
    def set_up(cls, folder: Path) -> "Groth16":
        made = cls(folder)
        (folder / "neurons.circom").write_text(CIRCUIT)
        made._run("circom2", "neurons.circom", "--r1cs", "--wasm")
        made._run("snarkjs", "powersoftau", "new", "bn128", "4", "0.ptau")
        made._run("snarkjs", "powersoftau", "contribute", "0.ptau", "1.ptau", "-n=t", "-e=tests")
        made._run("snarkjs", "powersoftau", "prepare", "phase2", "1.ptau", "2.ptau")
        made._run("snarkjs", "groth16", "setup", "neurons.r1cs", "2.ptau", "0.zkey")
        made._run("snarkjs", "zkey", "contribute", "0.zkey", "1.zkey", "-n=t", "-e=tests")
        made._run("snarkjs", "zkey", "export", "solidityverifier", "1.zkey", "verifier.sol")
        made._run("snarkjs", "zkey", "export", "verificationkey", "1.zkey", "key.json")
        return made

    @property
    def solidity(self) -> str:
        return (self.folder / "verifier.sol").read_text()

    @property
    def key(self) -> bytes:
        return (self.folder / "key.json").read_bytes()

    def prove(self, x: list[int]) -> tuple[list[int], bytes]:
        """The outputs, and the proof's eight words."""
        (self.folder / "input.json").write_text(json.dumps({"x": x}))
        files = "neurons_js/neurons.wasm", "1.zkey", "proof.json", "public.json"
        self._run("snarkjs", "groth16", "fullprove", "input.json", *files)
        proof = json.loads((self.folder / "proof.json").read_text())
        public = [int(one) for one in json.loads((self.folder / "public.json").read_text())]
        # As the precompile takes points of the twist: the imaginary part first.
        b = [proof["pi_b"][row][place] for row in (0, 1) for place in (1, 0)]
        words = [*proof["pi_a"][:2], *b, *proof["pi_c"][:2]]
        assert public[2:] == x
        return public[:2], b"".join(int(word).to_bytes(32, "big") for word in words)

    def answers(self) -> list[Answer]:
        """Two proven answers, which are what the circuit's text says."""
        made = []
        for x in ([1, 2, 3], [9, 0, 255]):
            y, proof = self.prove(x)
            assert y == [(2 * x[0] + 3 * x[1] - x[2] + 1) ** 2, (x[0] - 5 * x[1] + 4 * x[2]) ** 2]
            output = b"".join(value.to_bytes(4, "little") for value in y)
            made.append(Answer(bytes(x), output, proof))
        return made

    def place(self, chain: Chain) -> Scene:
        """Deploy verifier and wrapper, and register a network with the circuit."""
        target = deploy_code(chain, compile_verifier(self.solidity, "Groth16Verifier").creation)
        to = chain.w3.to_checksum_address(target)
        wrapper = address_of(chain.deploy("Groth16Wrapper", to, 5, 2))
        circuit = Circuit(code_hash_at(chain, wrapper), keccak256(self.key), INPUT, OUTPUT)
        return Scene(proof_place(chain, chain.accounts[2], wrapper, circuit), target)

    def _run(self, name: str, *words: str) -> None:
        done = subprocess.run(
            [str(BIN / name), *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def deploy_code(chain: Chain, creation: bytes) -> bytes:
    """Deploy creation code as it is; return the address."""
    sent = chain.w3.eth.send_transaction({"from": chain.w3.eth.accounts[0], "data": creation})
    receipt = chain.w3.eth.wait_for_transaction_receipt(sent)
    assert receipt["status"] == 1
    return bytes.fromhex(receipt["contractAddress"][2:])
