"""A network as people write it: a YAML file of its name and rules."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

from tallystick.errors import FieldError, RulesError
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.protocol.rules import Rules
from tallystick.storage.yaml_file import YamlFile

_AMOUNTS = ("stake_per_inference", "challenge_bond", "demand_bond")
_DURATIONS = ("challenge_window", "response_window", "ruling_window")


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A network, as its file says."""

    name: str
    rules: Rules
    uri: str = ""
    salt: bytes = ZERO32
    """Tells apart networks of one owner with the same rules, 32 bytes."""
    parent: bytes = ZERO32
    """Id of the network that this one follows; zero: none."""

    @classmethod
    def read(cls, path: Path) -> "NetworkFile":
        """Return what a file says; amounts such as 0.001 ether, windows such as 1h are read.

        Raises:
            YamlFileError: wrong or missing keys, or rules that the contract would refuse.
            OSError: the file cannot be read.
        """
        file = YamlFile(path)
        found = file.check_keys({"name", "uri", "salt", "parent", "rules"}, {"name", "rules"})
        given = file.check_keys({field.name for field in fields(Rules)}, place=["rules"])
        rules = dict(given)
        for names, read in ((_AMOUNTS, amount_of), (_DURATIONS, duration_of)):
            for name in names:
                if name in rules:
                    try:
                        rules[name] = read(rules[name], name)
                    except FieldError as error:
                        raise file.error(["rules", name], str(error)) from error
        try:
            checked = Rules.from_mapping(rules)
        except RulesError as error:
            # Each reason begins with its field.
            field = re.match(r"\w+", error.reasons[0])
            place = ["rules", field[0]] if field else ["rules"]
            raise file.error(place, str(error)) from error
        try:
            salt, parent = _salt(found.get("salt", 0)), found.get("parent")
            if parent and not isinstance(parent, str):
                raise FieldError("parent", repr(parent), "32 bytes as hex in quotes")
            if found["name"] in (None, ""):
                raise FieldError("name", "empty", "what people call the network")
            return cls(
                str(found["name"]),
                checked,
                str(found.get("uri") or ""),
                salt,
                from_hex(parent, 32, "parent") if parent else ZERO32,
            )
        except FieldError as error:
            raise file.error([error.field], str(error)) from error


def _salt(value: object) -> bytes:
    if isinstance(value, str):
        return from_hex(value, 32, "salt")
    if isinstance(value, int) and 0 <= value < 2**256:
        return value.to_bytes(32, "big")
    raise FieldError("salt", repr(value), "a whole number, or 32 bytes as hex in quotes")
