"""docs/adapters.md: its adapter runs as it stands, in a package; each of ours has a page."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tallystick.networks import registered
from tallystick.networks.errors import AdapterError
from tallystick.networks.registered import adapters
from tests.integration.networks.conftest import Follower
from tests.support.builds import ROOT
from tests.support.chain import Chain
from tests.support.standins import Standin

PAGE = (ROOT / "docs/adapters.md").read_text()
PAGES = ROOT / "docs" / "networks"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package that ships the page's adapter; a test may change it."""
    (source,) = re.findall(r"^```python adapter.py\n(.*?)^```$", PAGE, re.M | re.S)
    (entry,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S)
    site = tmp_path / "site"
    (site / "workers_network").mkdir(parents=True)
    (site / "workers_network" / "__init__.py").write_text("")
    (site / "workers_network" / "adapter.py").write_text(source)
    info = site / "workers_network-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: workers-network\nVersion: 1\n")
    group, line = re.findall(r'"(.+)"\]\n(.+)', entry)[0]
    (info / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(str(site))
    registered.adapters.cache_clear()
    yield site
    registered.adapters.cache_clear()
    for name in [one for one in sys.modules if one.startswith("workers_network")]:
        del sys.modules[name]


def test_page__its_adapter__judges_each_claim_once(
    package: Path, chain: Chain, follower: Follower
) -> None:
    workers = Standin(chain, "Workers")
    for job in (b"a", b"b", b"c", b"c"):
        workers.send("done", job * 32)
    workers.send("dispute", b"a" * 32, True)
    workers.send("dispute", b"b" * 32, False)

    state = follower.run("workers", workers)

    assert follower.verdicts("workers") == {
        ("unchecked", "undisputed"): 1,
        ("chain-checked", "disputed and upheld"): 1,
        ("rejected", "disputed and lost"): 1,
    }
    assert (state.unit, state.measures) == ("job", {"workers": 1})


def test_follow__adapter_with_a_verdict_of_its_own__is_refused_and_counts_nothing(
    package: Path, chain: Chain, follower: Follower
) -> None:
    _change(package, '"chain-checked"', '"verified"')
    workers = Standin(chain, "Workers")
    workers.send("done", b"a" * 32)
    workers.send("dispute", b"a" * 32, True)

    state = follower.run("workers", workers)

    assert "workers gives verdicts ['verified']; needed: ['enclave'," in state.failures[""]
    assert follower.verdicts("workers") == {}


def test_follow__adapter_breaks__is_one_line_and_counts_nothing(
    package: Path, chain: Chain, follower: Follower
) -> None:
    _change(package, 'len(set(claims["worker"].to_pylist()))', "claims.nothing")
    workers = Standin(chain, "Workers")
    workers.send("done", b"a" * 32)

    state = follower.run("workers", workers)

    assert state.failures[""].startswith("AttributeError: ")
    assert "\n" not in state.failures[""]
    assert follower.verdicts("workers") == {}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('name="workers"', 'name="0g"', "an adapter 0g is there"),
        ("ADAPTER = Adapter(", "ADAPTER = dict(", "gives no Adapter"),
        ("from tallystick", "from nowhere", "does not load"),
        ("uint64 tokens", "uint64", "does not load"),
    ],
)
def test_adapters__package_is_wrong__names_the_entry_point(
    package: Path, old: str, new: str, reason: str
) -> None:
    _change(package, old, new)

    with pytest.raises(AdapterError, match=reason) as caught:
        adapters()

    assert "workers_network.adapter:ADAPTER" in str(caught.value)


def _change(package: Path, old: str, new: str) -> None:
    path = package / "workers_network" / "adapter.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", list(adapters()))
def test_adapter__ours__has_a_page_with_its_unit_and_contracts(name: str) -> None:
    own = PAGES / f"{name}.md"
    page = (own if own.exists() else PAGES / "claimed.md").read_text()
    found: Any = adapters()[name]

    assert found.unit in page
    assert own.exists() or f"| {name} (" in page
    addresses = {one.address.hex() for one in found.places if one.address}
    missing = {one for one in addresses if one.lower() not in page.lower()}
    assert not missing
