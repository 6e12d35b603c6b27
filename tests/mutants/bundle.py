"""Many changes in one build, each behind a switch.

A switch compares a number that stands in the code, MAGIC, with the change's own: `MAGIC == 7 ? a -
b : a + b`. Without the optimiser the compiler keeps the comparison, and each place pushes MAGIC as
it is; so the built code becomes that of change 7 where 7 is written over it. Nothing is read while
it runs: pure functions and constants can be switched too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.mutants.compiler import CompilerError, check, compile_contracts, source
from tests.mutants.generate import assemblies
from tests.mutants.mutant import Mutant, apply

MAGIC = 0xB9D3E07A5C61F24893AD0E7B6F15C8D2417EA95B30CD86F2E94B7D1058A3C66D
"""Of no short form, such as the compiler might choose instead."""
PICK = """
    function mutants_pick(change, before, after) -> picked {
        picked := before
        if eq(%s, change) { picked := after }
    }
"""

Switched = list[tuple[int, int, list[int]]]


@dataclass
class Bundle:
    """Changes that are built together, numbered from 1 in their order."""

    wanted: dict[str, str]
    """Contracts that the changes reach: name to file."""
    mutants: list[Mutant]
    code: dict[str, str] = field(default_factory=dict)
    alone: bool = False

    def code_of(self, number: int) -> dict[str, str]:
        """Creation code of each contract under change `number`; 0 for the original."""
        if self.alone:
            return self.code if number else compile_contracts(self.wanted, {})
        magic, chosen = f"{MAGIC:064x}", f"{number:064x}"
        return {name: code.replace(magic, chosen) for name, code in self.code.items()}


def build(
    wanted: dict[str, str], mutants: list[Mutant], stillborn: Callable[[Mutant], None]
) -> Iterator[Bundle]:
    """Yield built bundles of as many changes as fit together; what does not compile is told of."""
    together, refused = _checked(wanted, [mutant for mutant in mutants if mutant.how])
    yield from _built(wanted, together)
    for mutant in [mutant for mutant in mutants if not mutant.how] + refused:
        changed = {mutant.file: apply(source(mutant.file), mutant.edits)}
        try:
            code = compile_contracts(wanted, changed)
        except CompilerError:
            stillborn(mutant)
        else:
            yield Bundle(wanted, [mutant], code, alone=True)


def _checked(wanted: dict[str, str], mutants: list[Mutant]) -> tuple[list[Mutant], list[Mutant]]:
    """Sort out those whose switch has no valid type."""
    refused: list[Mutant] = []
    while mutants:
        changed, switched = _sources(mutants)
        try:
            check(wanted, changed)
        except CompilerError as error:
            wrong = {number for place in error.places for number in _at(switched, *place)}
            if not wrong:
                together, others = _checked_by_halves(wanted, mutants)
                return together, refused + others
            refused += [mutant for number, mutant in enumerate(mutants, 1) if number in wrong]
            mutants = [mutant for number, mutant in enumerate(mutants, 1) if number not in wrong]
        else:
            break
    return mutants, refused


def _checked_by_halves(
    wanted: dict[str, str], mutants: list[Mutant]
) -> tuple[list[Mutant], list[Mutant]]:
    """The same where the compiler names another place, such as a variable left unassigned."""
    if len(mutants) == 1:
        return [], mutants
    half = len(mutants) // 2
    one, other = _checked(wanted, mutants[:half]), _checked(wanted, mutants[half:])
    return one[0] + other[0], one[1] + other[1]


def _built(wanted: dict[str, str], mutants: list[Mutant]) -> Iterator[Bundle]:
    if not mutants:
        return
    changed, _ = _sources(mutants)
    try:
        code = compile_contracts(wanted, changed)
    except CompilerError:
        if len(mutants) == 1:
            raise
        half = len(mutants) // 2
        yield from _built(wanted, mutants[:half])
        yield from _built(wanted, mutants[half:])
    else:
        yield Bundle(wanted, mutants, code)


def _at(switched: dict[str, Switched], file: str, start: int, end: int) -> list[int]:
    """The numbers of the smallest switch around a place of a changed source, or of those in it."""
    all_of_it = switched.get(file, [])
    around = [one for one in all_of_it if one[0] <= start < one[1]]
    if around:
        return min(around, key=lambda one: one[1] - one[0])[2]
    return [number for one in all_of_it if start <= one[0] < end for number in one[2]]


def _sources(mutants: list[Mutant]) -> tuple[dict[str, bytes], dict[str, Switched]]:
    by_file: dict[str, list[tuple[int, Mutant]]] = defaultdict(list)
    for number, mutant in enumerate(mutants, 1):
        by_file[mutant.file].append((number, mutant))
    changed, switched = {}, {}
    for file, numbered in by_file.items():
        writer = _Writer(file, numbered)
        changed[file] = writer.write(0, len(writer.text))
        switched[file] = writer.switched
    return changed, switched


class _Writer:
    """Writes a source with its switches, and keeps where each lies."""

    def __init__(self, file: str, numbered: list[tuple[int, Mutant]]) -> None:
        self.text = source(file)
        self.switched: Switched = []
        self._places: dict[tuple[int, int], list[tuple[int, Mutant]]] = defaultdict(list)
        for number, mutant in numbered:
            self._places[mutant.place].append((number, mutant))
        self._blocks = [
            start + 1
            for start, end in assemblies(file)
            if any(start < place[0] < end for place in self._places)
        ]

    def write(self, start: int, end: int, at: int = 0, inside: bool = False) -> bytes:
        """The source from start to end; `at` is where that goes in the output."""
        parts: list[bytes] = []
        position = start
        while position < end:
            here = [
                place
                for place in self._places
                if place[0] >= position
                and place[1] <= end
                and not (inside and place == (start, end))
            ]
            first = min(here, key=lambda place: (place[0], -place[1])) if here else None
            block = min((one for one in self._blocks if position <= one < end), default=None)
            if block is not None and (first is None or block <= first[0]):
                parts.append(self.text[position:block] + (PICK % hex(MAGIC)).encode())
                self._blocks.remove(block)
                position = block
                continue
            if first is None:
                break
            parts.append(self.text[position : first[0]])
            parts.append(self._switch(first, at + sum(map(len, parts))))
            position = first[1]
        parts.append(self.text[position:end])
        return b"".join(parts)

    def _switch(self, place: tuple[int, int], at: int) -> bytes:
        changes = self._places[place]
        texts = [(number, apply(self.text, one.edits, *place)) for number, one in changes]
        how = changes[0][1].how
        magic = hex(MAGIC).encode()
        head = tail = b""
        for number, text in texts:
            shown = str(number).encode()
            if how.startswith("expression"):
                # A number takes the type that the original gets from its surroundings.
                cast = how.removeprefix("expression").strip().encode()
                head += b"(" + magic + b" == " + shown + b" ? " + cast + b"("
                self.switched.append((at + len(head), at + len(head) + len(text), [number]))
                head += text + b") : "
                tail += b")"
            elif how == "statement":
                head += b"{ if (" + magic + b" == " + shown + b") { "
                self.switched.append((at + len(head), at + len(head) + len(text), [number]))
                head += text + b" } else { "
                tail += b" } }"
            elif how == "yul":
                head += b"mutants_pick(" + shown + b", "
                tail = b", " + text + b")" + tail
            else:
                head += b"if xor(" + magic + b", " + shown + b") { "
                tail += b" }"
        if how == "yul":
            # The innermost call has the last number; its text follows the original first.
            tail = b"".join(b", " + text + b")" for _, text in reversed(texts))
        if how.startswith("expression "):
            head, tail = head + how.split()[1].encode() + b"(", b")" + tail
        inner = self.write(*place, at=at + len(head), inside=True)
        written = head + inner + tail
        self.switched.append((at, at + len(written), [number for number, _ in changes]))
        return written
