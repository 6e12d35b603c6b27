"""Columns decoded from histories that random actions made: every kind of event the registry has."""

import pytest

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python or processor")

from tallystick.data.decode.columns import layouts
from tallystick.data.decode.decode import decode
from tallystick.protocol.events import CARGO, EVENTS, Event
from tests.invariant.walk import walk
from tests.support.raw_logs import REGISTRY, RawLog, amount, event, rows, table


def _is_cargo(event: Event) -> bool:
    """Whether it only carries data: no table has it."""
    return type(event).__name__ in CARGO


@pytest.fixture(scope="module")
def logs() -> list[RawLog]:
    """The raw logs of some walks."""
    return [RawLog(log["topics"], log["data"]) for seed in range(3) for log in walk(seed, 800).raw]


def test_decode__random_histories__every_counted_event_as_one_log_at_a_time(
    logs: list[RawLog],
) -> None:
    events = [event(place, log) for place, log in enumerate(logs)]
    assert {type(one).__name__ for one in events} == set(EVENTS)

    tables = decode(table(logs), REGISTRY)

    assert sum(map(len, tables.values())) == len([e for e in events if not _is_cargo(e)])
    for layout in layouts():
        expected = rows([one for one in events if type(one).__name__ == layout.name])
        found = tables[layout.name].to_pylist()
        wide = [field.name for field in layout.fields if field.kind in ("amount", "large")]
        split = [field.name for field in layout.fields if field.kind == "amount"]
        assert len(found) == len(expected)
        for row, want in zip(found, expected, strict=True):
            assert [amount(row, name) for name in split] == [want[name] for name in split]
            want |= {name: f"0x{want[name]:064x}" for name in wide}
            assert {key: row[key] for key in want} == want
