"""A pool's terms in a file: read as they are, or refused by line and name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tallystick.ape.pool_file import read_pool
from tallystick.chain.pool import PoolTerms
from tallystick.storage.yaml_file import YamlFileError

TERMS: dict[str, Any] = {
    "spec": "0x" + "33" * 32,
    "seat_stake": "0.1 ether",
    "min_seats": 72,
    "panel": 9,
    "min_drawn": 16,
    "seed_delay": 8,
    "exit_delay": "14d",
    "fee_per_leaf": "2 gwei",
    "rule_fee": 0,
}


def written(folder: Path, **changes: Any) -> Path:
    """A file of these terms; None leaves one out."""
    path = folder / "pool.yaml"
    found = {name: value for name, value in {**TERMS, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(found, sort_keys=False))
    return path


def test_read_pool__least_terms__are_those(tmp_path: Path) -> None:
    found = read_pool(written(tmp_path))

    assert found == PoolTerms(
        *(bytes(20), b"3" * 32, bytes(20)), *(10**17, 72, 9, 16, 8, 1_209_600, 2 * 10**9, 0)
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"panel": 10}, "line 4: panel is 10; needed: an odd number from 9 to 31"),
        ({"panel": 33}, "line 4: panel is 33"),
        ({"panel": "nine"}, "line 4: panel is 'nine'; needed: a whole number"),
        ({"panel": True}, "panel is True"),
        ({"min_seats": 71}, "line 3: min_seats is 71; needed: 72 to"),
        ({"min_drawn": 15}, "line 5: min_drawn is 15; needed: 16 to 256"),
        ({"min_drawn": 257}, "min_drawn is 257"),
        ({"seed_delay": 7}, "line 6: seed_delay is 7; needed: 8 to 1024"),
        ({"exit_delay": "13d"}, "line 7: exit_delay is 1123200; needed: 1209600 to"),
        ({"exit_delay": "soon"}, "exit_delay is 'soon'; needed: seconds"),
        ({"seat_stake": 0}, "line 2: seat_stake is 0; needed: 1 to"),
        ({"seat_stake": "1 pound"}, "seat_stake is '1 pound'"),
        ({"rule_fee": 2**96}, "line 9: rule_fee is 79228162514264337593543950336"),
        ({"spec": "0x11"}, "line 1: spec is 1 bytes; needed: 32 bytes"),
        ({"spec": 17}, "spec is 17; needed: hex text in quotes"),
        ({"fee_per_leaf": None}, "fee_per_leaf missing"),
        ({"seats": 9}, "unknown key seats"),
    ],
)
def test_read_pool__terms_that_would_be_refused__are_named(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(YamlFileError) as error:
        read_pool(written(tmp_path, **change))

    assert reason in str(error.value) and "pool.yaml" in str(error.value)
