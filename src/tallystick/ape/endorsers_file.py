"""Files that say who may endorse enclave keys."""

from pathlib import Path
from typing import Any, Literal

from tallystick.errors import FieldError
from tallystick.protocol.hexes import from_hex
from tallystick.protocol.keys import check_key
from tallystick.protocol.quantities import duration_of
from tallystick.storage.yaml_file import YamlFile


def read_endorsers(path: Path, *more: Literal["max_age", "named"]) -> tuple[Any, ...]:
    """Return endorsers, threshold and more fields of a YAML file, as the constructors take them.

    Fields: endorsers (a list of keys in hex: an address, a P-256 point, or an RSA key),
    threshold (how many have to sign); where they are asked for, max_age (seconds from an item's
    own time, or such as 7d) and named (true or false: the signed text begins with the model's
    name).

    Raises:
        YamlFileError: wrong or missing keys, or values that the constructor would refuse.
    """
    fields = {"endorsers", "threshold", *more}
    file = YamlFile(path)
    found = file.check_keys(fields, fields)
    if not isinstance(found["endorsers"], list) or not found["endorsers"]:
        raise file.error(["endorsers"], "endorsers is no list of keys")
    endorsers = []
    for index, text in enumerate(found["endorsers"]):
        place: list[str | int] = ["endorsers", index]
        if not isinstance(text, str):
            raise file.error(place, f"endorser {index} is {text!r}; needed: hex in quotes")
        try:
            key = from_hex(text, None, f"endorser {index}")
            check_key(f"endorser {index}", key)
        except FieldError as error:
            raise file.error(place, str(error)) from error
        endorsers.append(key)
    values: list[Any] = []
    for name in ("threshold", *more):
        value = found[name]
        if name == "named":
            if not isinstance(value, bool):
                raise file.error([name], f"named is {value!r}; needed: true or false")
            values.append(value)
            continue
        if name == "max_age":
            try:
                value = duration_of(value, name)
            except FieldError as error:
                raise file.error([name], str(error)) from error
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise file.error([name], f"{name} is {value!r}; needed: a whole number from 1 on")
        values.append(value)
    return endorsers, *values
