"""The process in which EZKL runs; imports nothing of the package.

`python -I worker.py job.json`: does one step of the job, and writes its result to the job's answer.
"""

import asyncio
import ctypes
import json
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


class _Ezkl:
    """The library, loaded when it is first needed; its stubs say other arguments than it takes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Asked by whoever inspects modules, with or without the library.
            raise AttributeError(name)
        return getattr(import_module("ezkl"), name)


ezkl: Any = _Ezkl()
_PR_SET_PDEATHSIG = 1


def settings(job: dict[str, Any]) -> Any:
    """Write the circuit's settings, with as few rows as fit."""
    for rows in range(job["least"], job["most"] + 1):
        args = ezkl.PyRunArgs()
        args.input_visibility, args.output_visibility = "public", "public"
        args.param_visibility = "fixed"
        args.input_scale, args.param_scale = job["input_scale"], job["param_scale"]
        args.logrows, args.decomp_base, args.decomp_legs = rows, job["base"], job["legs"]
        # Fewer columns: a proof that is cheaper to verify, and slower to make.
        args.num_inner_cols = job["columns"]
        ezkl.gen_settings(job["onnx"], job["settings"], args)
        found = json.loads(Path(job["settings"]).read_text())
        # The system itself needs some rows of each column.
        if max(found["num_rows"], job["base"]) + 64 <= 1 << rows:
            return found
    raise RuntimeError(f"needs more than 2^{job['most']} rows")


def srs(job: dict[str, Any]) -> Any:
    """Make an SRS on this machine."""
    ezkl.gen_srs(job["srs"], job["logrows"])


def setup(job: dict[str, Any]) -> Any:
    """Compile the circuit; make both keys."""
    ezkl.compile_circuit(job["onnx"], job["circuit"], job["settings"])
    ezkl.setup(job["circuit"], job["vk"], job["pk"], job["srs"])


def solidity(job: dict[str, Any]) -> Any:
    """Write the verifier's Solidity.

    It is written first; then EZKL downloads a compiler, which fails without network, now and then
    by a signal. Ours compiles it.
    """
    try:
        asyncio.run(_verifier(job))
    except RuntimeError:
        if not Path(job["solidity"]).exists():
            raise


async def _verifier(job: dict[str, Any]) -> None:
    made = ezkl.create_evm_verifier(
        job["vk"], job["settings"], job["solidity"], job["abi"], job["srs"]
    )
    if hasattr(made, "__await__"):
        await made


def answer(job: dict[str, Any]) -> Any:
    """Return the circuit's outputs for each input, as felts."""
    found = []
    for values in job["inputs"]:
        Path(job["data"]).write_text(json.dumps({"input_data": [values]}))
        witness = ezkl.gen_witness(job["data"], job["circuit"], job["witness"])
        felts = [
            [int(ezkl.felt_to_big_endian(one), 16) for one in witness[side][0]]
            for side in ("inputs", "outputs")
        ]
        found.append(felts)
    return found


def prove(job: dict[str, Any]) -> Any:
    """Prove one input; return its felts and the proof."""
    (felts,) = answer(job)
    ezkl.prove(job["witness"], job["circuit"], job["pk"], job["proof"], job["srs"])
    made = json.loads(Path(job["proof"]).read_text())
    return {"felts": felts, "proof": made["hex_proof"], "form": _form(made)}


def verify(job: dict[str, Any]) -> Any:
    """Return whether a proof holds of public values."""
    instances = [[value.to_bytes(32, "little").hex() for value in job["instances"]]]
    proof = bytes.fromhex(job["proof_bytes"])
    whole = {
        "protocol": None,
        "instances": instances,
        "proof": list(proof),
        "hex_proof": "0x" + proof.hex(),
        "split": None,
        "pretty_public_inputs": None,
        "timestamp": None,
        "version": None,
        **job["form"],
    }
    Path(job["proof"]).write_text(json.dumps(whole))
    try:
        return bool(ezkl.verify(job["proof"], job["settings"], job["vk"], job["srs"]))
    except RuntimeError as error:
        return str(error).splitlines()[0]


def _form(made: dict[str, Any]) -> dict[str, Any]:
    known = {"instances", "proof", "hex_proof", "pretty_public_inputs", "timestamp"}
    return {name: value for name, value in made.items() if name not in known}


def _end_with(parent: int) -> None:
    """Have the kernel kill this process with the one that waits for it, where it can (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # It was gone before.


STEPS = {one.__name__: one for one in (settings, srs, setup, solidity, answer, prove, verify)}


def main() -> None:
    """Do the step that the job names."""
    job = json.loads(Path(sys.argv[1]).read_text())
    _end_with(job["parent"])
    if job["memory"]:
        resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    result = STEPS[job["step"]](job)
    Path(job["answer"]).write_text(json.dumps(result))
    # EZKL's threads are not always at an end when Python's own end begins.
    os._exit(0)


if __name__ == "__main__":
    main()
