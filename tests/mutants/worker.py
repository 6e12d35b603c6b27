"""A pytest session that collects once and forks for each change.

In the child the change's code takes the place of what the compiler gave, and tests run until one
fails. A failure counts only where the same test passes on the original, built the same way: what
needs the optimiser's gas is passed over.
"""

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants import targets
from tests.mutants.bundle import Bundle
from tests.mutants.mutant import Mutant
from tests.support.builds import manifest

LIMIT = 120
"""Seconds of a processor that the tests of one change may take: endless loops are noticed, too."""


@dataclass
class Verdict:
    """What the tests said of a change."""

    mutant: Mutant
    killed_by: str
    """A test, or why there is none; empty for a survivor."""
    seconds: float
    tests: int


@dataclass(eq=False)
class Worker:
    """The plugin; `verdicts` is read when pytest is done."""

    bundles: Iterator[Bundle]
    told: Any
    """Called with each verdict."""
    verdicts: list[Verdict] = field(default_factory=list)
    _kills: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    _unfit: set[tuple[tuple[str, ...], str]] = field(default_factory=set)
    _fit: set[tuple[tuple[str, ...], str]] = field(default_factory=set)

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        # One failure is enough: none is shrunk, nor kept for later runs.
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", database=None, derandomize=True, phases=phases)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        manifest()  # read here, once, for all children
        for bundle in self.bundles:
            for number, mutant in enumerate(bundle.mutants, 1):
                verdict = self._judge(session, bundle, 1 if bundle.alone else number, mutant)
                self.verdicts.append(verdict)
                self.told(verdict)
        return True

    def _judge(
        self, session: pytest.Session, bundle: Bundle, number: int, mutant: Mutant
    ) -> Verdict:
        names = tuple(bundle.wanted)
        started, ran = time.monotonic(), 0
        while True:
            items = self._ordered(session, bundle.wanted, mutant)
            items = [item for item in items if (names, item.nodeid) not in self._unfit]
            failed, done = _forked(items, bundle.code_of(number))
            ran += done
            if not failed or failed.startswith("("):
                break
            if self._passes(session, bundle, names, failed):
                for place in ((mutant.file, mutant.function), (mutant.file, "")):
                    self._kills.setdefault(place, Counter())[failed] += 1
                break
        return Verdict(mutant, failed, time.monotonic() - started, ran)

    def _passes(
        self, session: pytest.Session, bundle: Bundle, names: tuple[str, ...], nodeid: str
    ) -> bool:
        """Whether the test passes on the original, built the same way."""
        if (names, nodeid) in self._fit:
            return True
        (item,) = [item for item in session.items if item.nodeid == nodeid]
        failed, _ = _forked([item], bundle.code_of(0))
        (self._unfit if failed else self._fit).add((names, nodeid))
        return not failed

    def _ordered(
        self, session: pytest.Session, wanted: dict[str, str], mutant: Mutant
    ) -> list[pytest.Item]:
        """Those first that noticed most changes of the function, that name it, of the file."""
        compact = mutant.function.strip("_").lower()
        here = self._kills.get((mutant.file, mutant.function), Counter())
        near = self._kills.get((mutant.file, ""), Counter())
        places = {path: place for place, path in enumerate(targets.tests(wanted))}

        def names(item: pytest.Item) -> bool:
            shown = item.nodeid.rpartition("/")[2].lower().replace("_", "")
            return bool(compact) and compact in shown

        def rank(item: pytest.Item) -> int | None:
            found = [place for path, place in places.items() if item.nodeid.startswith(path)]
            return min(found, default=None)

        def order(place: int, item: pytest.Item) -> tuple[int, ...]:
            return -here[item.nodeid], -names(item), -near[item.nodeid], place

        ranked = [(rank(item), item) for item in session.items]
        mine = [(place, item) for place, item in ranked if place is not None]
        mine.sort(key=lambda one: order(*one))
        return [item for _, item in mine]


def _forked(items: list[pytest.Item], code: dict[str, str]) -> tuple[str, int]:
    """Run the tests in a child until one fails; returns that one, or "", and how many ran."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            answer = _run(items, code)
            os.write(writer, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    if not answer:
        return f"(no end within {LIMIT} s)", len(items)
    failed, ran = json.loads(answer)
    return failed, ran


def _run(items: list[pytest.Item], code: dict[str, str]) -> tuple[str, int]:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    put(code)
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        reports = runtestprotocol(item, nextitem=following, log=False)
        if any(report.failed for report in reports):
            return item.nodeid, place + 1
    return "", len(items)


def put(code: dict[str, str]) -> None:
    """Have tests deploy this creation code, by contract, instead of the compiler's."""
    from tallystick.chain import abi

    for name, shown in code.items():
        manifest()[name]["deploymentBytecode"]["bytecode"] = "0x" + shown
    original = abi.contract

    def contract(name: str) -> abi.Contract:
        found = original(name)
        return found._replace(bytecode=bytes.fromhex(code[name])) if name in code else found

    for module in list(sys.modules.values()):
        # Not by getattr: some modules load others when asked for what they lack.
        if vars(module).get("contract") is original:
            module.contract = contract  # type: ignore[attr-defined]
