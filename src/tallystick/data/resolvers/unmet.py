"""Conditions that a resolver, or a network, doesn't meet: by name, and in words."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition for being known, and what stands in its way."""

    condition: str
    """Its name, for programs: see docs/data.md."""
    reason: str
    """The sentence."""
    actual: str | None = None
    """The value found; None: the condition compares none."""
    needed: str | None = None
    """What it should be."""

    def to_json(self, of: str) -> dict[str, str | None]:
        """Return it as a JSON object.

        Args:
            of: whose condition it is: a grade, the arbiter, or the network.
        """
        return {"of": of, **asdict(self)}


def in_words(unmet: Iterable[Unmet]) -> str:
    """Return the reasons in one sentence; empty: there are none."""
    return "; ".join(one.reason for one in unmet)
