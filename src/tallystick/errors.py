"""Exceptions of the package.

TallystickError
├── FieldError (ValueError)        a field is too long, too large or of the wrong length
├── RulesError (ValueError)        rules that the contract would refuse
├── SignatureError (ValueError)    a signature that the contract would refuse
├── ProofError (ValueError)        a proof that does not lead to the root
├── PreImageError (ValueError)     a storage word that is not the one of the pre-image
├── NoContractError (ValueError)   no contract is where one is read
├── LedgerError (ValueError)       an event that cannot follow the ones before it
│   ├── UnknownEventError (LookupError)
│   ├── UnknownNetworkError         of a network that no event registered
│   └── MissingLogsError            and the core knows what it names: logs are missing
├── RecordError (ValueError)       wrong lines of a file of inferences
├── ReceiptError (ValueError)      a receipt of which a part fails
└── StoreError (OSError)           batch data that cannot be kept or read
    ├── BatchMissingError (FileNotFoundError)
    │   └── BatchPrunedError
    └── BatchCorruptError (ValueError)
"""

from collections.abc import Sequence
from typing import NamedTuple


class TallystickError(Exception):
    """Base of every exception that the package raises on purpose."""


class FieldError(TallystickError, ValueError):
    """A field that does not fit its type in the contract."""

    def __init__(self, field: str, found: object, needed: str) -> None:
        self.field, self.found, self.needed = field, found, needed
        super().__init__(f"{field} is {found}; needed: {needed}")


class RulesError(TallystickError, ValueError):
    """Rules that registerNetwork would refuse."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


class SignatureError(TallystickError, ValueError):
    """A signature that the contract would refuse."""


class ProofError(TallystickError, ValueError):
    """A proof that does not lead from its leaf to the root."""


class PreImageError(TallystickError, ValueError):
    """A pre-image that is not the one under a slot's word."""


class LedgerError(TallystickError, ValueError):
    """An event that cannot follow the events before it."""


class NoContractError(TallystickError, ValueError):
    """No contract is at an address, at the block that is read."""


class UnknownEventError(LedgerError, LookupError):
    """An event of a kind that is not in the contract's interface."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no event is called {name}")


class UnknownNetworkError(LedgerError):
    """An event in a network, 32 bytes in `network_id`, that no event before it registered."""

    def __init__(self, message: str, network_id: bytes) -> None:
        self.network_id = network_id
        super().__init__(message)


class MissingLogsError(LedgerError):
    """An event that follows from others which the node left out."""


class WrongLine(NamedTuple):
    """One line of a file of inferences that cannot be used."""

    line: int
    """Counted from 1; of a Parquet file the row, counted from 1."""
    reason: str


class RecordError(TallystickError, ValueError):
    """Lines of a file of inferences that cannot be used, the first of them first."""

    def __init__(self, wrong: Sequence[WrongLine], more: bool = False) -> None:
        self.wrong = tuple(wrong)
        self.more = more
        lines = [f"line {line}: {reason}" for line, reason in self.wrong]
        super().__init__("\n".join([*lines, "and more"] if more else lines))

    @property
    def line(self) -> int:
        """Number of the first wrong line, counted from 1."""
        return self.wrong[0].line

    @property
    def reason(self) -> str:
        """What is wrong with the first wrong line."""
        return self.wrong[0].reason


class ReceiptError(TallystickError, ValueError):
    """A receipt of which one part fails; `part` names it."""

    def __init__(self, part: str, reason: str) -> None:
        self.part, self.reason = part, reason
        super().__init__(f"{part}: {reason}")


class StoreError(TallystickError, OSError):
    """Batch data that cannot be kept or read."""


class BatchMissingError(StoreError, FileNotFoundError):
    """The store has no batch under this root."""


class BatchPrunedError(BatchMissingError):
    """The store had the batch under this root, and has let go of it."""


class BatchCorruptError(StoreError, ValueError):
    """What the store has under a root does not hash to it."""
