"""Vocabularies made by hand, for tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tallystick.llm.vocabulary import Kind


@dataclass(frozen=True)
class SmallVocabulary:
    """A list of tokens; in a text, the longest NORMAL one at each place, else a BYTE one."""

    tokens: Sequence[tuple[str, int]]
    bos: int | None = None
    add_bos: bool = False
    eos: int | None = None
    eot: int | None = None
    eom: int | None = None
    stripping: frozenset[int] = field(default_factory=frozenset)

    @property
    def size(self) -> int:
        return len(self.tokens)

    def kind(self, token: int) -> Kind:
        return Kind(self.tokens[token][1])

    def spelling(self, token: int) -> str:
        return self.tokens[token][0]

    def strips(self, token: int) -> bool:
        return token in self.stripping

    def piece(self, token: int) -> bytes:
        kind, spelling = self.kind(token), self.spelling(token)
        if kind is Kind.BYTE:
            return bytes([int(spelling[3:5], 16)])
        return b"" if kind in (Kind.CONTROL, Kind.UNKNOWN) else spelling.encode()

    def tokenize(self, text: str) -> list[int]:
        found = []
        data = text.encode()
        while data:
            fits = [
                (len(self.piece(token)), token)
                for token in range(self.size)
                if self.kind(token) in (Kind.NORMAL, Kind.BYTE)
                and data.startswith(self.piece(token))
            ]
            size, token = max(fits, key=lambda one: one[0])
            found.append(token)
            data = data[size:]
        return found
