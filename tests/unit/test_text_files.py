"""Files that people and other programs write: one line says what is wrong, nothing is guessed."""

import json
import sys
from pathlib import Path

import pytest

from tallystick.cli.recomputed import read_recomputed
from tallystick.errors import RecordError, TallystickError
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.statement import Statement
from tallystick.protocol.text import TextError, parse_json
from tallystick.storage.network_file import NetworkFile
from tallystick.storage.receipt_files import read_receipts
from tallystick.storage.record_files import read_records
from tallystick.storage.yaml_file import YamlFile, YamlFileError

LINE = '{"input": "0x01", "output": "0x07"}\n'
ENCODINGS = {
    "utf-8-sig": "byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
}


def write(folder: Path, content: bytes | str) -> Path:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_read_records__another_encoding__is_named(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, LINE.encode(encoding))

    with pytest.raises(RecordError, match=ENCODINGS[encoding]):
        read_records(path)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_yaml__another_encoding__is_named(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match=ENCODINGS[encoding]):
        YamlFile(write(tmp_path, "name: N\n".encode(encoding)))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "read", [read_recomputed, lambda path: list(read_receipts(path)), Statement.read]
)
def test_read__another_encoding__is_named(encoding: str, read: object, tmp_path: Path) -> None:
    with pytest.raises(TallystickError, match=ENCODINGS[encoding]):
        read(write(tmp_path, '{"leaf": 3, "output": "0x07"}\n'.encode(encoding)))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"input": "0x01", "output": "0x07", "output": "0x08"}', "output stands there twice"),
        ('{"input": "0x01", "output": {"a": {"b": 1, "b": 1}}}', "b stands there twice"),
        ('{"input": "0x01", "output": [{"b": 1, "b": 2}]}', "b stands there twice"),
        ('{"input": "0x01", "output": "0x07", "nonce": NaN}', "NaN is no number"),
        ('{"input": "0x01", "output": "0x07", "nonce": -Infinity}', "-Infinity is no number"),
        ('{"input": "0x01", "output": "0x07", "nonce": 1e3}', "nonce: .*integer"),
        ('{"input": "0x01", "output": "0x07", "nonce": 007}', "not JSON"),
        ('{"input": "0x01", "outp', "cut off"),
        ('{"input": "0x01", "output": "0x07",', "cut off"),
        pytest.param("[" * 100_000, "nested too deep", id="deep"),
        pytest.param('{"a":' * 101 + "1" + "}" * 101, "nested too deep", id="a little too deep"),
        ('{"input": "0x\0", "output": "0x07"}', "NUL"),
        ('[{"input": "0x01", "output": "0x07"}]', "line 2"),
        ("7", "line 2"),
    ],
)
def test_read_records__line_is_no_plain_object__is_told_with_its_line(
    line: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(RecordError, match=f"line 2: .*{said}" if said != "line 2" else said):
        read_records(write(tmp_path, LINE + line))


def test_read_records__not_utf_8__is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="line 2: byte 12 is not UTF-8"):
        read_records(write(tmp_path, LINE.encode() + b'{"input": "0\xe4"}\n'))


def test_read_recomputed__leaf_twice_in_a_line__is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, '{"leaf": 3, "output": "0x07", "leaf": 4}\n')

    with pytest.raises(TallystickError, match="line 1: leaf stands there twice"):
        read_recomputed(path)


def test_read_recomputed__line_ends_of_windows__are_read(tmp_path: Path) -> None:
    path = write(tmp_path, '{"leaf": 3, "output": "0x07"}\r\n\r\n')

    assert read_recomputed(path) == {3: keccak256(b"\7")}


ADDRESS = "0xDc22041405d6AcB4940E290F9946D8611c33c718"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: 1\na: 2", "line 2: a stands there twice, first in line 1"),
        ("a:\n  b: 1\n  c: 1\n  b: 2", "line 4: b stands there twice, first in line 2"),
        ("a: [{b: 1, b: 1}]", "b stands there twice"),
        ("a: 0100", "write 100"),
        ("a: -0100", "octal"),
        (f"\na: {ADDRESS}", "line 2: .*in quotes"),
        (f"a: [{ADDRESS}]", "in quotes"),
        ("a: yes", "true or false"),
        ("a: Off", "true or false"),
        ("a: .nan", "no number"),
        ("a: -.inf", "no number"),
        ("a: 1:30.5", "no number"),
        ("a: {", "not YAML"),
        ("a: !!python/object:os.system x", "not YAML"),
        ("- a", "not a mapping"),
        ("", "not a mapping"),
        ("a: \0", "NUL"),
    ],
)
def test_yaml__value_is_not_what_it_looks_like__says_how_to_write_it(
    content: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(YamlFileError, match=said):
        YamlFile(write(tmp_path, content))


def test_yaml__plain_values__are_what_they_look_like(tmp_path: Path) -> None:
    content = f"a: 100\nb: '{ADDRESS}'\nc: 1:30:00\nd: true\ne: 2024-01-01\nf: 1e3\ng: 0.5\nh: 0\n"

    assert YamlFile(write(tmp_path, content)).content == {
        "a": 100,
        "b": ADDRESS,
        "c": "1:30:00",
        "d": True,
        "e": "2024-01-01",
        "f": "1e3",
        "g": 0.5,
        "h": 0,
    }


RULES = "  challenge_window: 3600\n  response_window: 600\n  ruling_window: 600\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  stake_per_inference: 0100\n", "line 6: 0100 begins with a zero"),
        ("  stake_per_inference: 1e3\n", "stake_per_inference is '1e3'"),
        ("  stake_per_inference: 1:30\n", "stake_per_inference is '1:30'"),
        ("  stake_per_inference: .inf\n", "no number"),
        (f"  arbiter: {ADDRESS}\n", "in quotes"),
        ("  permissionless: yes\n", "true or false"),
        ("  ruling_window: 700\n", "ruling_window stands there twice, first in line 5"),
    ],
)
def test_network_file__trap_of_yaml__is_refused(more: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match=said):
        NetworkFile.read(write(tmp_path, f"name: N\nrules:\n{RULES}{more}"))


@pytest.mark.parametrize("name", ["", "~", "''"])
def test_network_file__no_name__is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match="name is empty"):
        NetworkFile.read(write(tmp_path, f"name: {name}\nrules:\n{RULES}"))


def test_parse_json__library_has_raised_the_limit_of_recursion__does_not_end_the_process() -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(TextError, match="nested too deep"):
            parse_json("[" * 100_000)
    finally:
        sys.setrecursionlimit(before)


def test_parse_json__brackets_in_a_string__are_text() -> None:
    text = json.dumps({"a": "[" * 1000, "b": '\\"[[' * 1000, "c": [[], [], []] * 100})

    assert parse_json(text) == json.loads(text)
