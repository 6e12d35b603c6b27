"""The contract's enums, member for member.

Source: contracts/interfaces/Types.sol.
"""

from enum import IntEnum


class State(IntEnum):
    """State of a slot, or of a batch."""

    UNKNOWN = 0
    OPEN = 1
    DISPUTED = 2
    FINAL = 3
    REJECTED = 4


class Grade(IntEnum):
    """Kind of evidence behind a batch, ascending."""

    UNCHALLENGED = 0
    AUDITED = 1
    ENCLAVE = 2
    PROVEN = 3


class Outcome(IntEnum):
    """The counter that a batch moves when it becomes final."""

    UNCHALLENGED = 0
    AUDITED = 1
    ENCLAVE = 2
    PROVEN = 3
    UNRESOLVED = 4

    @classmethod
    def of(cls, grade: Grade, lapsed: bool) -> "Outcome":
        """Return where a batch of this grade counts.

        >>> Outcome.of(Grade.AUDITED, lapsed=False).name
        'AUDITED'
        >>> Outcome.of(Grade.AUDITED, lapsed=True).name
        'UNRESOLVED'
        """
        return cls.UNRESOLVED if lapsed else cls(int(grade))


class Cause(IntEnum):
    """Cause of a batch's rejection."""

    NONE = 0
    RULING = 1
    DISPROOF = 2
    TIMEOUT = 3
    ORDER = 4
    REPEAT = 5
    DEADLINE = 6


class Ruling(IntEnum):
    """An arbiter's answer."""

    UNDECIDED = 0
    UPHELD = 1
    REJECTED = 2


class DisputeKind(IntEnum):
    """Kind of a dispute: it asks for a ruling, or for a leaf."""

    NONE = 0
    CHALLENGE = 1
    DEMAND = 2
