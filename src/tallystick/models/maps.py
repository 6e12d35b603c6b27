"""Sequences of maps as canonical bytes: the probabilities of a classifier by its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tallystick.errors import InputRefusedError, RunnerError
from tallystick.models.tensors import STRING, TensorSpec


@dataclass(frozen=True, slots=True)
class MapsSpec:
    """A sequence of maps that a model gives, such as a ZipMap's.

    >>> spec = MapsSpec("odds", np.dtype("<i8"), np.dtype("<f4"))
    >>> spec.encode([{1: 0.5, 0: 0.25}]).hex()
    '010000000200000000000000000000000000803e01000000000000000000003f'
    """

    name: str
    key: np.dtype[Any]
    """int64, or STRING."""
    value: np.dtype[Any]

    @property
    def size(self) -> None:
        """Bytes of every encoding, as of a tensor: they differ."""
        return None

    def __str__(self) -> str:
        key = "string" if self.key == STRING else self.key.name
        return f"{self.name}, a sequence of maps of {key} to {self.value.name}"

    def encode(self, value: Any) -> bytes:
        """Return canonical bytes: how many maps, and of each how many pairs, ascending by key.

        Raises:
            RunnerError: it is no list of maps, or a key or value is of another type.
        """
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise RunnerError(f"the model gave no list of maps: {self}")
        parts = [len(value).to_bytes(4, "little")]
        for one in value:
            parts.append(len(one).to_bytes(4, "little"))
            for key, number in sorted(one.items(), key=lambda pair: _order(pair[0])):
                parts += [self._key.encode(key), self._value.encode(number)]
        return b"".join(parts)

    def decode(self, data: bytes, start: int = 0) -> tuple[list[dict[Any, Any]], int]:
        """Return the maps that begin at a place, and where they end.

        Raises:
            InputRefusedError: they are cut off, or a map's keys do not ascend.
        """
        count, place = _number(data, start, self)
        maps: list[dict[Any, Any]] = []
        for _ in range(count):
            size, place = _number(data, place, self)
            found: dict[Any, Any] = {}
            last: Any = None
            for _ in range(size):
                key, place = self._key.decode(data, place)
                number, place = self._value.decode(data, place)
                if found and _order(key.item()) <= _order(last):
                    raise InputRefusedError(f"{self}: keys do not ascend")
                last = key.item()
                found[last] = number.item()
            maps.append(found)
        return maps, place

    @property
    def _key(self) -> TensorSpec:
        return TensorSpec(f"{self.name}'s key", self.key, ())

    @property
    def _value(self) -> TensorSpec:
        return TensorSpec(f"{self.name}'s value", self.value, ())


def _order(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


def _number(data: bytes, place: int, spec: MapsSpec) -> tuple[int, int]:
    end = place + 4
    if end > len(data):
        raise InputRefusedError(f"{spec}: cut off at byte {len(data)}; needed: {end}")
    return int.from_bytes(data[place:end], "little"), end
