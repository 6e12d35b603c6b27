"""Mappings that know a part of their keys: the rest is refused, and never missing or empty."""

from collections import defaultdict
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from copy import deepcopy
from typing import Any, NoReturn, TypeVar

from tallystick.errors import NotCoveredError

K = TypeVar("K")
V = TypeVar("V")


def covered(
    what: str, has: Callable[[K], bool], default: Callable[[], V] | None = None
) -> defaultdict[K, V]:
    """Return an empty mapping that raises NotCoveredError for keys that it does not cover.

    Iteration is over what it has, which is all of what it covers.

    Args:
        what: values are called in errors.
        has: tells whether a key is covered.
        default: makes the value of a covered key that is not there; None: a KeyError.
    """
    return _Covered(what, has, default)


def uncovered(what: str, default: Callable[[], Any]) -> defaultdict[Any, Any]:
    """Return a mapping that covers nothing: it cannot be iterated over either.

    Args:
        what: values are called in errors.
        default: makes a value; only what holds the mapping's type asks for it.
    """
    return _Uncovered(what, lambda key: False, default)


class _Covered(defaultdict[K, V]):
    def __init__(
        self, what: str, has: Callable[[K], bool], default: Callable[[], V] | None
    ) -> None:
        super().__init__(default)
        self._what, self._has = what, has

    def __getitem__(self, key: K) -> V:
        self._check(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._check(key)
        return super().__contains__(key)

    def get(self, key: K, default: Any = None) -> Any:
        """Return a covered key's value, or the default."""
        self._check(key)
        return super().get(key, default)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Covered[K, V]":
        copied = type(self)(self._what, self._has, self.default_factory)
        for key, value in dict.items(self):
            copied[key] = deepcopy(value, memo)
        return copied

    def _check(self, key: Any) -> None:
        if not self._has(key):
            raise NotCoveredError(self._what, key)


class _Uncovered(_Covered[K, V]):
    def __iter__(self) -> Iterator[K]:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()

    def keys(self) -> KeysView[K]:  # type: ignore[override]
        """Raise NotCoveredError."""
        self._refuse()

    def values(self) -> ValuesView[V]:  # type: ignore[override]
        """Raise NotCoveredError."""
        self._refuse()

    def items(self) -> ItemsView[K, V]:  # type: ignore[override]
        """Raise NotCoveredError."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotCoveredError(self._what)
