"""Change the contracts bit by bit: each change must make a test fail.

    make mutants                    all of them, a night's work
    make mutants SAMPLE=10 SEED=1   ten, the same ten each time; without SEED it is chosen and said
    make mutants FILES='contracts/libraries/*'
    make mutants JSON=1             one object on standard output at the end

Changed are relational, arithmetic, logical and bitwise operators, conditions, numbers, booleans,
members of enums and hashed strings; neighbours of one type change places; statements and modifiers
go; the same within assembly. Many changes share a build (bundle.py), without the optimiser. Tests
run on an EVM in the process (tests/support/in_process.py), one fork a change (worker.py), those
first that noticed most changes of the same function.

Exit status: 1 where a change survives that equivalents.yaml doesn't list with a reason.
"""

import argparse
import fnmatch
import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.mutants import targets
from tests.mutants.bundle import Bundle, build
from tests.mutants.equivalents import equivalents
from tests.mutants.generate import mutants_of
from tests.mutants.mutant import Mutant
from tests.mutants.worker import Verdict, Worker
from tests.support.builds import ROOT

IN_A_BUILD = 250
"""Changes that share a build: more take the compiler too long, fewer too often."""


def main() -> int:
    options = _options()
    files = [file for file in targets.files() if fnmatch.fnmatch(file, options.files)]
    if not files:
        print(f"mutants: no source matches {options.files}", file=sys.stderr)
        return 2
    every = mutants_of(files)
    listed = equivalents()
    chosen = [mutant for mutant in every if mutant.key not in listed]
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    if options.sample is not None:
        chosen = random.Random(seed).sample(chosen, min(options.sample, len(chosen)))
        _say(f"seed {seed}: {len(chosen)} of {len(every)} changes")
    else:
        _say(f"{len(chosen)} changes; {len(every) - len(chosen)} more are listed as equivalent")
    run = _Run(chosen)
    verdicts = run.verdicts()
    survivors = [verdict.mutant for verdict in verdicts if not verdict.killed_by]
    _report(run, verdicts, survivors, seed, options.json)
    return 1 if survivors else 0


class _Run:
    """Builds and tests, with a line of progress for each change."""

    def __init__(self, chosen: list[Mutant]) -> None:
        self.chosen, self.stillborn, self.done = chosen, 0, 0
        self.started, self.building = time.monotonic(), 0.0

    def verdicts(self) -> list[Verdict]:
        names = {name for mutant in self.chosen for name in targets.reached(mutant.file)}
        paths = targets.tests({name: "" for name in targets.CONTRACTS if name in names})
        worker = Worker(self._bundles(), self._tell)
        os.chdir(ROOT)
        arguments = ["-o", "addopts=", "--in-process"]
        for plugin in ("ape_test", "cacheprovider", "terminal"):
            arguments += ["-p", f"no:{plugin}"]
        pytest.main([*arguments, *paths], plugins=[worker])
        if len(worker.verdicts) + self.stillborn != len(self.chosen):
            raise RuntimeError("pytest did not get to all of them; see above")
        return worker.verdicts

    def _bundles(self) -> Iterator[Bundle]:
        groups: dict[tuple[str, ...], list[Mutant]] = defaultdict(list)
        for mutant in self.chosen:
            groups[tuple(targets.reached(mutant.file))].append(mutant)
        for names, mutants in groups.items():
            wanted = {name: targets.CONTRACTS[name] for name in names}
            for first in range(0, len(mutants), IN_A_BUILD):
                batch = mutants[first : first + IN_A_BUILD]
                _say(f"building {len(batch)} changes of {', '.join(names)}")
                started = time.monotonic()
                for bundle in build(wanted, batch, self._stillborn):
                    self.building += time.monotonic() - started
                    yield bundle
                    started = time.monotonic()
                self.building += time.monotonic() - started

    def _stillborn(self, mutant: Mutant) -> None:
        self.stillborn += 1
        self._line("no code", mutant, "")

    def _tell(self, verdict: Verdict) -> None:
        state = "killed" if verdict.killed_by else "SURVIVED"
        test = verdict.killed_by.rpartition("/")[2]
        self._line(state, verdict.mutant, f"{verdict.seconds:.1f} s, {verdict.tests} tests  {test}")

    def _line(self, state: str, mutant: Mutant, more: str) -> None:
        self.done += 1
        left = (time.monotonic() - self.started) / self.done * (len(self.chosen) - self.done)
        _say(
            f"[{self.done}/{len(self.chosen)}, {left / 60:.0f} min left] {state}"
            f" {mutant.file}:{mutant.line} {more}"
        )


def _report(
    run: _Run, verdicts: list[Verdict], survivors: list[Mutant], seed: int, as_json: bool
) -> None:
    seconds = time.monotonic() - run.started
    killed = len(verdicts) - len(survivors)
    if as_json:
        report = {
            "changes": len(run.chosen),
            "without_code": run.stillborn,
            "killed": killed,
            "seconds": round(seconds, 1),
            "seconds_building": round(run.building, 1),
            "seed": seed,
            "survivors": [
                {
                    "file": one.file,
                    "line": one.line,
                    "function": one.function,
                    "before": one.before,
                    "after": one.after,
                }
                for one in survivors
            ],
        }
        print(json.dumps(report))
        return
    for mutant in survivors:
        print(mutant)
    each = seconds / max(1, len(run.chosen))
    print(
        f"{killed} of {len(verdicts)} changes were noticed, {len(survivors)} survived;"
        f" {run.stillborn} do not compile. {each:.1f} s a change, {run.building:.0f} s of"
        f" {seconds:.0f} s in the compiler."
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, help="how many changes, drawn at random")
    parser.add_argument("--seed", type=int, help="of the draw")
    parser.add_argument("--files", default="*", help="a pattern of sources")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
