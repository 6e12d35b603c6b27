"""log.py: what is appended is read, whatever kills the writer."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.data.probe.errors import ProbeLogError
from tallystick.data.probe.log import SCHEMA, ProbeLog
from tallystick.data.probe.result import ProbeResult
from tallystick.errors import FieldError

UNANSWERED = ProbeResult(1700000000.25, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://a", False)
ANSWERED = ProbeResult(
    1700000060, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://b", True, 0.1, 0.25, 200, "valid"
)
RESULTS = [UNANSWERED, ANSWERED, replace(UNANSWERED, status=500, error="status is 500")]

seconds = st.floats(0, 1e6)
whole = st.builds(
    lambda *values: ProbeResult(*values),
    st.floats(0, 4e9),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=20, max_size=20),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=20, max_size=20),
    st.text(),
    st.just(True),
    seconds,
    seconds,
    st.integers(200, 299),
    st.sampled_from(["valid", "invalid", "absent"]),
    st.none(),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "probes.jsonl"


@pytest.fixture
def log(path: Path) -> ProbeLog:
    return ProbeLog(path)


def run(path: Path, code: str) -> "subprocess.Popen[bytes]":
    head = """
        import os, resource, signal, sys
        from dataclasses import replace
        from pathlib import Path
        from tallystick.data.probe.log import ProbeLog
        from tallystick.data.probe.result import ProbeResult
        one = ProbeResult(1.0, 1, b"c" * 20, b"n" * 32, b"o" * 20, "http://a", False)
        log = ProbeLog(Path(sys.argv[1]))
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", source, str(path)], stdout=subprocess.PIPE)


def test_read__what_was_appended__same_in_order(log: ProbeLog) -> None:
    log.append(RESULTS[:1])
    log.append(RESULTS[1:])

    table = log.read()

    assert table.schema == SCHEMA
    assert [ProbeResult(**row) for row in table.to_pylist()] == RESULTS
    assert list(log.results()) == RESULTS


def test_append__line__is_json_with_hex_text(log: ProbeLog, path: Path) -> None:
    log.append([ANSWERED])

    assert json.loads(path.read_text()) == {
        "version": 1,
        "time": 1700000060,
        "chain_id": 1,
        "core": "0x" + "63" * 20,
        "network_id": "0x" + "6e" * 32,
        "operator": "0x6f6F6f6f6f6f6f6f6f6F6f6F6F6F6F6f6F6F6f6F",
        "url": "http://b",
        "answered": True,
        "seconds_to_first_byte": 0.1,
        "seconds_to_last_byte": 0.25,
        "status": 200,
        "signature": "valid",
        "error": None,
    }


def test_append__nothing__makes_no_file(log: ProbeLog, path: Path) -> None:
    log.append([])

    assert not path.exists()


def test_read__no_file__os_error(log: ProbeLog) -> None:
    with pytest.raises(FileNotFoundError):
        log.read()


def test_read__empty_file__no_rows(log: ProbeLog, path: Path) -> None:
    path.touch()

    assert log.read().num_rows == 0


@settings(deadline=None)
@given(whole)
def test_from_line__what_to_line_wrote__same_on_one_line(result: ProbeResult) -> None:
    line = result.to_line()

    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert ProbeResult.from_line(line) == result


@settings(deadline=None)
@given(st.data())
def test_append__log_cut_anywhere__whole_lines_stay(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = [result.to_line() for result in RESULTS]
    kept = data.draw(st.integers(0, len(lines) - 1))
    torn = data.draw(st.integers(0, len(lines[kept]) - 1))
    path = tmp_path_factory.mktemp("log") / "probes.jsonl"
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:torn])
    # Without its newline only, a line is whole.
    before = RESULTS[: kept + (torn == len(lines[kept]) - 1)]

    assert list(ProbeLog(path).results()) == before
    ProbeLog(path).append([ANSWERED])

    assert path.read_bytes() == b"".join(result.to_line() for result in [*before, ANSWERED])


def test_append__long_torn_line__cut_off(log: ProbeLog, path: Path) -> None:
    log.append([UNANSWERED])
    with path.open("ab") as file:
        file.write(b'{"time": ' + b"1" * 200_000)

    log.append([ANSWERED])

    assert list(log.results()) == [UNANSWERED, ANSWERED]


@pytest.mark.parametrize("torn", [0, 1, 100, 150_000, 299_999])
def test_append__killed_in_the_middle__log_stays_readable(
    log: ProbeLog, path: Path, torn: int
) -> None:
    log.append(RESULTS)
    dying = f"""
        write = os.write
        def half(file, data):
            write(file, data[:{torn}])
            os.kill(os.getpid(), signal.SIGKILL)
        os.write = half
        log.append([replace(one, url="http://" + "a" * 300_000)])
    """

    killed = run(path, dying)
    killed.communicate()

    assert killed.returncode == -signal.SIGKILL
    assert path.stat().st_size == sum(len(result.to_line()) for result in RESULTS) + torn
    assert list(log.results()) == RESULTS
    log.append([ANSWERED])
    assert list(log.results()) == [*RESULTS, ANSWERED]


def test_append__killed_at_any_time__log_stays_readable(log: ProbeLog, path: Path) -> None:
    busy = """
        large = [replace(one, url="http://" + "a" * 100_000)] * 100
        print("ready", flush=True)
        while True:
            log.append(large)
    """
    for turn in range(4):
        writer = run(path, busy)
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        time.sleep(0.03 + 0.017 * turn)
        writer.kill()
        writer.communicate()
        before = log.read().num_rows if path.exists() else 0

        log.append([ANSWERED])

        results = list(log.results())
        assert len(results) == before + 1 and results[-1] == ANSWERED
        path.unlink()


def test_append__several_processes__no_line_lost_or_mixed(log: ProbeLog, path: Path) -> None:
    writers = [run(path, f"for _ in range(50): log.append([one, replace(one, chain_id={n})])")
               for n in (2, 3, 4)]  # fmt: skip
    for writer in writers:
        writer.communicate()

    counted = [result.chain_id for result in log.results()]

    assert {n: counted.count(n) for n in (1, 2, 3, 4)} == {1: 150, 2: 50, 3: 50, 4: 50}


def test_append__another_is_in_the_middle_of_its_write__waits(log: ProbeLog, path: Path) -> None:
    halting = """
        import time
        write = os.write
        def halves(file, data):
            written = write(file, data[:50])
            print("half", flush=True)
            time.sleep(0.5)
            return written + write(file, data[50:])
        os.write = halves
        log.append([one])
    """
    other = run(path, halting)
    assert other.stdout is not None and other.stdout.readline() == b"half\n"
    assert list(log.results()) == []

    log.append([ANSWERED])

    assert other.wait() == 0
    assert [result.time for result in log.results()] == [1.0, ANSWERED.time]


def test_append__disk_takes_a_part__error_and_log_as_before(log: ProbeLog, path: Path) -> None:
    log.append(RESULTS)
    before = path.read_bytes()
    full = """
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
        try:
            log.append([one] * 100)
        except OSError as error:
            print(error)
    """

    said, _ = run(path, full).communicate()

    assert said.decode().strip() == f"{path}: the disk took only part of the results"
    assert path.read_bytes() == before


def spoiled() -> Iterator[tuple[bytes, str]]:
    good = ANSWERED.to_json()
    yield b"{", "Invalid JSON"
    yield b"[]", "Input should be an object"
    yield b"\xff", "Invalid JSON"
    for changes, reason in (
        ({"time": True}, "time: "),
        ({"time": -1}, "time is -1"),
        ({"chain_id": "1"}, "chain_id: "),
        ({"chain_id": -1}, "chain_id is -1"),
        ({"core": "0x00"}, "core: "),
        ({"network_id": None}, "network_id: "),
        ({"operator": 1}, "operator: "),
        ({"answered": 1}, "answered: "),
        ({"answered": False}, "seconds_to_first_byte is 0.1"),
        ({"seconds_to_last_byte": None}, "seconds_to_last_byte is None"),
        ({"seconds_to_last_byte": -1.0}, "seconds_to_last_byte is -1.0"),
        ({"status": 500}, "status is 500"),
        ({"status": None}, "status is None"),
        ({"signature": "good"}, "signature: "),
        ({"error": "a\nb"}, "error is 'a\\nb'"),
        ({"more": 1}, "more: "),
    ):
        yield json.dumps({**good, **changes}).encode(), reason
    yield json.dumps({**good, "time": float("nan")}).encode(), "time is nan"
    yield json.dumps({name: good[name] for name in list(good)[:-1]}).encode(), "error: "


@pytest.mark.parametrize(("line", "reason"), spoiled())
def test_read__bad_line__named_by_number(
    log: ProbeLog, path: Path, line: bytes, reason: str
) -> None:
    path.write_bytes(ANSWERED.to_line() + b"\n" + line + b"\n" + ANSWERED.to_line())

    with pytest.raises(ProbeLogError) as raised:
        log.read()

    [wrong] = raised.value.wrong
    assert wrong.line == 3 and wrong.reason.startswith(reason)
    assert str(raised.value).startswith(f"line 3: {reason}")


def test_read__many_bad_lines__first_twenty_named(log: ProbeLog, path: Path) -> None:
    path.write_bytes(b"{}\n" * 30)

    with pytest.raises(ProbeLogError) as raised:
        log.read()

    assert [wrong.line for wrong in raised.value.wrong] == list(range(1, 21))
    assert raised.value.more and str(raised.value).endswith("\nand more")


@pytest.mark.parametrize(
    "changes", [{"core": b""}, {"time": float("inf")}, {"chain_id": 2**63}, {"error": ""}]
)
def test_result__field_that_does_not_fit__refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match=next(iter(changes))):
        replace(UNANSWERED, **changes)
