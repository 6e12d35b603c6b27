"""YAML files: lines of what is wrong, nearest keys; quantities with units."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.ape.committee_file import read_committee
from tallystick.ape.endorsers_file import read_endorsers
from tallystick.errors import FieldError
from tallystick.protocol.quantities import amount_of, duration_of
from tallystick.storage.network_file import NetworkFile
from tallystick.storage.yaml_file import YamlFile, YamlFileError

NETWORK = """name: n
rules:
  challenge_window: 1h
  response_window: 10m
  ruling_window: 600
"""
COMMITTEE = """threshold: 1
min_drawn: 3
seed_delay: 2
exit_delay: 14d
min_stake: 1 ether
members:
- account: "0x0000000000000000000000000000000000000001"
- account: "0x0000000000000000000000000000000000000002"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "line 1: not YAML"),
        ("name: n\n\ttab: 1", "line 2: not YAML"),
        ("- 1", "line 1: not a mapping"),
        ("", "line 1: not a mapping"),
        ("name: n", "line 1: rules missing"),
        (NETWORK + "parnt: x", "line 6: unknown key parnt; did you mean parent?"),
        (NETWORK + "  arbitre: x", "line 6: unknown key arbitre; did you mean arbiter?"),
        (NETWORK + "  zzz: x", "line 6: unknown key zzz; known: arbiter, asset, "),
        (NETWORK + "  demand_bond: much", "line 6: demand_bond is 'much'; needed: a whole"),
        (NETWORK + '  arbiter: "0x11"', "line 6: arbiter"),
        (NETWORK + "  arbiter: 0x11", "line 6: 0x11 has to be in quotes"),
        (NETWORK.replace("10m", "2h"), "line 4: response_window is 7200 s; needed: at most half"),
        (NETWORK + "salt: -1", "line 6: salt is -1"),
        (NETWORK + "parent: 5", "line 6: parent is 5"),
        ("name: n\nrules: 5", "line 2: rules is not a mapping"),
    ],
)
def test_network_file__wrong__file_line_and_reason(text: str, told: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)

    with pytest.raises(YamlFileError) as caught:
        NetworkFile.read(path)

    assert str(caught.value).startswith(f"{path}, {told}"), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("min_drawn", "min_draws"), "line 2: unknown key min_draws; did you mean min_drawn?"),
        (("14d", "a while"), "line 4: exit_delay is 'a while'"),
        (("1 ether", "0"), "line 5: min_stake is 0; needed: a whole number from 1"),
        (('"0x0000000000000000000000000000000000000002"', "2"), "line 8: account is 2; needed:"),
        (("- account", "- acount"), "line 7: member 0 has no account"),
        (('02"', '02"\n  kee: 1'), "line 9: unknown key kee; did you mean key?"),
        (('02"', '01"'), "line 8: member 1 has the key of another one"),
        (("threshold: 1", "threshold: 3"), "line 1: threshold is 3 of 2 members"),
    ],
)
def test_committee_file__wrong__file_line_and_reason(
    change: tuple[str, str], told: str, tmp_path: Path
) -> None:
    path = written(tmp_path, COMMITTEE.replace(*change))

    with pytest.raises(YamlFileError) as caught:
        read_committee(path)

    assert str(caught.value).startswith(f"{path}, {told}"), str(caught.value)


def test_endorsers_file__wrong_endorser__its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'threshold: 1\nendorsers:\n- "0x11"\n')

    with pytest.raises(YamlFileError, match="line 3: endorser 0"):
        read_endorsers(path)


@pytest.mark.parametrize("value", ["1", "no", '"true"', "null"])
def test_endorsers_file__named_that_is_no_truth_value__its_line(tmp_path: Path, value: str) -> None:
    endorser = "0x" + "11" * 20
    text = f'threshold: 1\nendorsers: ["{endorser}"]\nnamed: {value}\n'

    with pytest.raises(YamlFileError, match="line 3"):
        read_endorsers(written(tmp_path, text), "named")


def test_yaml_file__deep_nesting__is_one_error(tmp_path: Path) -> None:
    with pytest.raises(YamlFileError):
        YamlFile(written(tmp_path, "[" * 20_000))


@given(st.integers(0, 10**9), st.sampled_from([("wei", 0), ("gwei", 9), ("ether", 18)]))
def test_amount_of__number_and_unit__product(number: int, unit: tuple[str, int]) -> None:
    name, digits = unit

    assert amount_of(f"{number} {name}") == amount_of(f"{number}{name.upper()}")
    assert amount_of(f"{number} {name}") == number * 10**digits


@pytest.mark.parametrize(
    "text", ["", "ether", "-1 ether", "1 finney", "1e3", "0.5", "1.0000000001 gwei", True, 1.5, -1]
)
def test_amount_of__no_amount__is_refused(text: object) -> None:
    with pytest.raises(FieldError):
        amount_of(text)


@pytest.mark.parametrize("text", ["", "soon", "-1h", "1.5", True, 1.5, -1, "0.5s", "1 2"])
def test_duration_of__no_duration__is_refused(text: object) -> None:
    with pytest.raises(FieldError):
        duration_of(text)
