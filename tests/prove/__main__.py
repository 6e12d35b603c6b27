"""Prove registry, pool, replay game with halmos: `make prove`; JSON=1 for objects, ONLY= for some.

A property is a check_ function of a contract in properties/; its notice says what it covers. Its
twin, in the contract named ...Reached, asserts that what the property is about never happens, and
must be refuted: no property holds for want of cases.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".cache" / "prove"
BUILT = WORK / "out"
CONFIG = "tools/foundry.toml"
TWIN = "Reached"
PASSED, REFUTED = 0, 1
OUTCOMES = ("passed", "counterexample", "timeout", "stuck", "no path succeeds", "exception")
# Failed assertions, and every fault of arithmetic, memory and indices.
PANICS = "0x01,0x11,0x12,0x31,0x32,0x41,0x51"
# Begun first, so that none of them is left for the end.
SLOW = ("Rejections", "Commits", "Reopenings")
SOLVER_SECONDS = 200
PROPERTY_SECONDS = int(os.environ.get("SECONDS", "540"))


@dataclass(frozen=True, slots=True)
class Property:
    """A check_ function, and what its notice says that it covers."""

    contract: str
    signature: str
    covers: str

    @property
    def name(self) -> str:
        return f"{self.contract}.{self.signature.partition('(')[0].removeprefix('check_')}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a property: `why` is empty where it holds and its twin is refuted."""

    name: str
    covers: str
    seconds: float
    paths: int
    why: str


def build() -> None:
    """Compile the properties, and give the prover the creation code of `make compile`."""
    rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    manifest = json.loads((ROOT / ".build" / "__local__.json").read_text())
    for name in ("Tallystick", "Pool", "ReplayGame"):
        code = manifest["contractTypes"][name]["deploymentBytecode"]["bytecode"]
        (WORK / f"{name}.json").write_text(json.dumps({"bytecode": {"object": code}}))
    command = ["forge", "build", "--ast", "--root", str(ROOT), "--quiet"]
    command += ["--extra-output", "storageLayout", "metadata", "userdoc"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"FOUNDRY_CONFIG": CONFIG}, check=True)


def properties() -> Iterator[Property]:
    """Read the properties from what was built.

    Raises:
        ValueError: where a property has no notice, or its contract no twin.
    """
    sources = sorted((ROOT / "tests" / "prove" / "properties").glob("*.sol"))
    for source in sources:
        folder = BUILT / source.name
        for artifact in sorted(folder.glob("*.json")):
            contract = artifact.stem
            found: dict[str, Any] = json.loads(artifact.read_text())
            checks = [name for name in found["methodIdentifiers"] if name.startswith("check_")]
            if contract.endswith(TWIN) or not checks:
                continue
            if not (folder / f"{contract}{TWIN}.json").exists():
                raise ValueError(f"{contract} has no twin {contract}{TWIN}")
            notices = found["metadata"]["output"]["userdoc"]["methods"]
            for signature in checks:
                if "notice" not in notices.get(signature, {}):
                    raise ValueError(f"{contract}.{signature} has no notice")
                yield Property(contract, signature, notices[signature]["notice"])


def prove(subject: Property) -> Verdict:
    """Run halmos on a property and its twin, in a process of their own."""
    began = time.monotonic()
    report = WORK / f"{subject.name}.json"
    function = re.escape(subject.signature.partition("(")[0])
    command = [
        *(sys.executable, "-m", "tests.prove.engine", "--root", str(ROOT), "--no-status"),
        *("--forge-build-out", str(BUILT.relative_to(ROOT)), "--json-output", str(report)),
        *("--match-contract", f"^{subject.contract}({TWIN})?$", "--match-test", rf"^{function}\("),
        *("--panic-error-codes", PANICS, "--loop", "64", "--solver-threads", "1", "--early-exit"),
        *("--solver-timeout-assertion", f"{SOLVER_SECONDS}s"),
    ]
    log = WORK / f"{subject.name}.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            process.wait(PROPERTY_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    paths, why = _read(report, subject) if report.exists() else (0, "no answer in time")
    if why:
        why += f" ({log.relative_to(ROOT)})"
    return Verdict(subject.name, subject.covers, round(time.monotonic() - began, 1), paths, why)


def _read(report: Path, subject: Property) -> tuple[int, str]:
    """Return how many paths were taken, and why the property does not hold, or nothing."""
    results = {
        path.rpartition(":")[2]: result
        for path, found in json.loads(report.read_text())["test_results"].items()
        for result in found
    }
    if not {subject.contract, subject.contract + TWIN} <= results.keys():
        return 0, "no answer"
    result, twin = results[subject.contract], results[subject.contract + TWIN]
    paths, succeeded, _ = result["num_paths"]
    if result["exitcode"] != PASSED:
        return paths, OUTCOMES[result["exitcode"]]
    if result["num_bounded_loops"] or not succeeded:
        return paths, "paths were left out"
    if twin["exitcode"] != REFUTED:
        return paths, f"its twin was not refuted: {OUTCOMES[twin['exitcode']]}"
    return paths, ""


def show(verdict: Verdict) -> None:
    if os.environ.get("JSON") == "1":
        print(json.dumps(asdict(verdict)), flush=True)
        return
    mark = f"[FAIL] {verdict.why}:" if verdict.why else "[PASS]"
    print(f"{mark} {verdict.name} ({verdict.seconds:.0f} s): {verdict.covers}", flush=True)


def main() -> int:
    """Prove them all; return 1 where one fails, else 0."""
    began = time.monotonic()
    build()
    subjects = [found for found in properties() if os.environ.get("ONLY", "") in found.name]
    subjects.sort(key=lambda subject: subject.contract not in SLOW)
    if not subjects:
        print("prove: no property has such a name", file=sys.stderr)
        return 1
    print(f"{len(subjects)} properties, built in {time.monotonic() - began:.0f} s", file=sys.stderr)
    failed = 0
    with ThreadPoolExecutor(int(os.environ.get("JOBS", "0")) or os.cpu_count()) as pool:
        for done in as_completed([pool.submit(prove, subject) for subject in subjects]):
            show(verdict := done.result())
            failed += bool(verdict.why)
    passed = len(subjects) - failed
    total = time.monotonic() - began
    print(f"{passed} of {len(subjects)} proved in {total:.0f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
