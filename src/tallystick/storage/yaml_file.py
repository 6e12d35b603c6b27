"""YAML files that people write: what is wrong in one is told with its line."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel

from tallystick.errors import TallystickError
from tallystick.protocol.text import TextError, decoded
from tallystick.storage.strict_yaml import StrictYamlError, load

Place = Sequence[str | int]
"""Keys and indices that lead to a value from the top."""


class YamlFileError(TallystickError, ValueError):
    """A YAML file that cannot be used; names file and line."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {reason}")


class YamlFile:
    """A YAML file's content, and where in the file each part of it stands.

    Args:
        path: of the file.

    Raises:
        YamlFileError: not YAML, or not a mapping of keys to values.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path, top: type = dict) -> None:
        self.path = path
        self.content: Any
        try:
            self.content, self._node = load(decoded(path.read_bytes()))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or " ".join(str(error).split())
            line = mark.line + 1 if mark else None
            kind = "" if isinstance(error, StrictYamlError) else "not YAML: "
            raise YamlFileError(path, line, f"{kind}{reason}") from error
        except TextError as error:
            raise YamlFileError(path, None, str(error)) from error
        except RecursionError as error:
            raise YamlFileError(path, None, "nested too deep") from error
        if not isinstance(self.content, top):
            kind = "a list" if top is list else "a mapping of keys to values"
            raise YamlFileError(path, 1, f"not {kind}")

    def error(self, place: Place, reason: str) -> YamlFileError:
        """Return the error that something is wrong at a place."""
        return YamlFileError(self.path, self.line(place), reason)

    def has(self, place: Place) -> bool:
        """Return whether the file has something at a place."""
        found = self.content
        for step in place:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def line(self, place: Place) -> int | None:
        """Return the line of a place, from 1; of the nearest part above it that the file has."""
        node, line = self._node, self._node.start_mark.line + 1 if self._node else None
        for step in place:
            if isinstance(node, yaml.MappingNode):
                pairs = [pair for pair in node.value if pair[0].value == str(step)]
                if not pairs:
                    break
                key, node = pairs[-1]
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def check_keys(
        self, known: Collection[str], needed: Collection[str] = (), place: Place = ()
    ) -> dict[str, Any]:
        """Return the mapping at a place, found to have the keys that it may and must have.

        Raises:
            YamlFileError: no mapping; a key that is not known, with the nearest that is; one that
                is missing.
        """
        found = self.content
        for step in place:
            found = found[step]
        if not isinstance(found, dict):
            raise self.error(place, f"{place[-1]} is not a mapping of keys to values")
        for key in found:
            if key not in known:
                raise self.error([*place, key], unknown_key(key, known))
        missing = [key for key in needed if key not in found]
        if missing:
            raise self.error(place, f"{', '.join(missing)} missing")
        return found


def unknown_key(key: object, known: Collection[str]) -> str:
    """Return that a key is unknown, with the nearest that is known.

    >>> unknown_key("chalenge_window", ["name", "challenge_window"])
    'unknown key chalenge_window; did you mean challenge_window?'
    """
    nearest = difflib.get_close_matches(str(key), list(known), 1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known: {', '.join(sorted(known))}"
    return f"unknown key {key}; {hint}"


def fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the names of the fields that a model has at a place; empty where it has none.

    Args:
        model: of the whole content.
        place: fields, and indices of lists, that lead to a model within.
    """
    found: Any = model
    for step in place:
        if isinstance(step, str):
            field = getattr(found, "model_fields", {}).get(step)
            if field is None:
                return []
            found = field.annotation
        models = list(_models_in(found))
        if not models:
            return []
        found = models[0]
    return list(getattr(found, "model_fields", {}))


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models_in(part)
