"""One small change of one source file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Bytes of a source file, and what stands there instead."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Mutant:
    """A change, and where a switch between it and the original may go.

    `place` holds start and end of the expression or statement that the switch replaces; `how` says
    what is there: "expression", "statement", "yul" (an expression of assembly) or "yul statement";
    "" where no switch fits, so that the change needs a build of its own.
    """

    file: str
    function: str
    line: int
    edits: tuple[Edit, ...]
    before: str
    after: str
    place: tuple[int, int]
    how: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others whatever the line."""
        return self.file, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}\n    - {self.before}\n    + {self.after}"


def apply(source: bytes, edits: tuple[Edit, ...], start: int = 0, end: int | None = None) -> bytes:
    """Return the source from start to end with the edits made, which lie within."""
    parts, at = [], start
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [source[at : edit.start], edit.text.encode()]
        at = edit.end
    parts.append(source[at : len(source) if end is None else end])
    return b"".join(parts)
