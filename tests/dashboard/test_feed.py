"""News as Atom: well formed by RFC 4287, of the events, under ids that stay."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from tallystick.dashboard.export import export
from tallystick.dashboard.feed import ATOM, feed
from tallystick.dashboard.live import Live
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.news import news, rank_changes
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot
from tests.support.shown import NAME, Shown

API = "/api/v1"
IN = {"a": ATOM}
TAGS = ("feed", "id", "title", "updated", "author", "name", "link", "entry", "category")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")  # RFC 3339
ONE, TWO, THREE = (NetworkKey(1, f"0x{'aa' * 20}", f"0x{at:064x}") for at in range(3))
DAYS = [date(2026, 11, day) for day in (1, 2, 3, 4)]


def faults(text: bytes) -> list[str]:
    """What RFC 4287 asks for in sections 4.1.1 and 4.1.2, and a feed lacks."""
    root = ElementTree.fromstring(text)
    found = [] if root.tag == f"{{{ATOM}}}feed" else [root.tag]
    for one in (root, *root.findall("a:entry", IN)):
        count = Counter(child.tag.removeprefix(f"{{{ATOM}}}") for child in one)
        for name in ("id", "title", "updated"):
            text_of = one.findtext(f"a:{name}", "", IN)
            if count[name] != 1 or not text_of.strip():
                found.append(f"{name}: {count[name]}")
        if not DATE.fullmatch(one.findtext("a:updated", "", IN)):
            found.append("updated is no date")
        if not re.fullmatch(r"tag:[\w.]+,\d{4}:[\w./:-]+", one.findtext("a:id", "", IN)):
            found.append("id is no tag URI")
        links = [(link.get("rel"), link.get("type")) for link in one.findall("a:link", IN)]
        if links.count(("alternate", "text/html")) != 1:
            found.append(f"links: {links}")
        if count["author"] and not one.findtext("a:author/a:name", "", IN).strip():
            found.append("author without a name")
    if not root.findall("a:author", IN):
        found.append("no author")
    ids = [one.text for one in root.iter(f"{{{ATOM}}}id")]
    return found + (["an id stands twice"] if len(ids) > len(set(ids)) else [])


def entries(text: bytes) -> list[tuple[str, str, str]]:
    """Ids, kinds and times."""
    return [
        (
            one.findtext("a:id", "", IN),
            one.findall("a:category", IN)[0].get("term", ""),
            one.findtext("a:updated", "", IN),
        )
        for one in ElementTree.fromstring(text).findall("a:entry", IN)
    ]


@pytest.fixture(scope="module")
def snapshot(live: Live) -> Snapshot:
    return live.snapshot


def test_feed__of_all_and_of_each_network__is_atom(client: TestClient, snapshot: Snapshot) -> None:
    for path in ("", *(f"networks/{key.path}/" for key in snapshot.network_keys())):
        answer = client.get(f"{API}/{path}feed.atom")
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
        assert faults(answer.content) == []


def test_faults__of_what_lacks_parts__are_named() -> None:
    entry = "<entry><id>7</id><title/><updated>today</updated></entry>"
    lacking = f'<feed xmlns="{ATOM}"><id>tag:a,2026:b</id>{entry}</feed>'

    assert {"no author", "id is no tag URI", "title: 1", "updated: 0"} <= set(
        faults(lacking.encode())
    )


def test_feed__entries__are_the_apis_disputes_and_rejections_at_their_blocks_times(
    client: TestClient,
) -> None:
    told = entries(client.get(f"{API}/feed.atom").content)
    disputes: Any = client.get(f"{API}/disputes?state=all").json()["rows"]
    rejections: Any = client.get(f"{API}/rejections").json()["rows"]

    for kind, rows in (("dispute.opened", disputes), ("batch.rejected", rejections)):
        shown = sorted((id_.split("/")[2], time) for id_, named, time in told if named == kind)
        assert shown == sorted(
            (row["transaction_hash"], f"{datetime.fromtimestamp(row['block_time'], UTC):%FT%TZ}")
            for row in rows
        )
        assert rows
    overdue = [id_.split("/")[2] for id_, kind, _ in told if kind == "demand.due"]
    late = [
        row["transaction_hash"]
        for row in disputes
        if row["kind"] == "demand" and row["end_time"] and row["end_time"] > row["due"]
    ]
    assert late and set(late) <= set(overdue)


def test_feed__times__never_ascend(client: TestClient) -> None:
    times = [time for _, _, time in entries(client.get(f"{API}/feed.atom").content)]

    assert times == sorted(times, reverse=True)


def test_feed__ids__stay_when_more_blocks_come(shown: Shown, snapshot: Snapshot) -> None:
    before = [(one.id, one.title, one.time) for one in news(snapshot)]
    shown.commit_more(1)

    after = [(one.id, one.title, one.time) for one in news(Snapshot(shown.data.root))]

    assert set(before) <= set(after)


def test_feed__of_a_hostile_name__is_text(client: TestClient, snapshot: Snapshot) -> None:
    key = next(NetworkKey.of(row) for row in snapshot.networks() if row["name"] == NAME)

    root = ElementTree.fromstring(client.get(f"{API}/networks/{key.path}/feed.atom").content)

    assert "<script>" in root.findtext("a:title", "", IN)
    assert {one.tag for one in root.iter()} == {f"{{{ATOM}}}{name}" for name in (*TAGS, "summary")}


def test_feed__exported__has_the_servers_entries_and_absolute_links(
    snapshot: Snapshot, client: TestClient, tmp_path: Path
) -> None:
    export(snapshot, tmp_path / "out", url="https://numbers.example")
    written = (tmp_path / "out/api/v1/feed.atom").read_bytes()

    # The server may have come further.
    assert set(entries(written)) <= set(entries(client.get(f"{API}/feed.atom").content))
    assert faults(written) == []
    links = [
        link.get("href", "") for link in ElementTree.fromstring(written).iter(f"{{{ATOM}}}link")
    ]
    assert all(link.startswith("https://numbers.example/") for link in links)


def test_feed__page__links_to_it(client: TestClient, snapshot: Snapshot) -> None:
    key = snapshot.network_keys()[0]
    place = 'rel="alternate" type="application/atom+xml" title="News" href="'

    assert f'{place}api/v1/feed.atom"' in client.get("/").text
    of = f'{place}../../../../api/v1/networks/{key.path}/feed.atom"'
    assert of in client.get(f"/networks/{key.path}/").text


def test_feed__unknown_network__is_not_found(client: TestClient) -> None:
    path = f"1/0x{'00' * 20}/0x{'00' * 32}"

    assert client.get(f"{API}/networks/{path}/feed.atom").status_code == 404


def test_feed__no_news__was_updated_when_a_network_registered(snapshot: Snapshot) -> None:
    quiet = next(key for key in snapshot.network_keys() if not news(snapshot, key))

    assert faults(feed(snapshot, Site(), quiet)) == []


def test_rank_changes__day_by_day__name_who_moved_and_how() -> None:
    flows = {ONE: {DAYS[0]: 5, DAYS[1]: 1}, TWO: {DAYS[0]: 3, DAYS[1]: 9}, THREE: {DAYS[2]: 7}}

    assert list(rank_changes(flows, DAYS[3])) == [
        (DAYS[0], ONE, None, 1),
        (DAYS[0], TWO, None, 2),
        (DAYS[1], TWO, 2, 1),
        (DAYS[1], ONE, 1, 2),
        (DAYS[2], THREE, None, 2),
        (DAYS[2], ONE, 2, 3),
    ]


def test_rank_changes__day_that_is_not_over__changes_nothing_yet() -> None:
    flows = {ONE: {DAYS[0]: 5}, TWO: {DAYS[0]: 3, DAYS[1]: 9}}

    assert len(list(rank_changes(flows, DAYS[1]))) == 2
    assert list(rank_changes({}, DAYS[1])) == []
