"""The badge of each network: an image with the API's number, unranked, or not available."""

from xml.etree import ElementTree

from fastapi.testclient import TestClient

from tallystick.dashboard.badge import badge, short

API = "/api/v1"


def test_badge__each_network__says_what_it_verified_or_that_it_is_unranked(
    client: TestClient,
) -> None:
    rows = client.get(f"{API}/summary/30d").json()["networks"]

    for row in rows:
        path = f"{row['chain_id']}/{row['core']}/{row['network_id']}"
        answer = client.get(f"{API}/networks/{path}/badge.svg")
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        said = "".join(ElementTree.fromstring(answer.text).itertext())
        known = f"{short(row['known_verified'])} in 30 d" if row["ranked"] else "unranked"
        assert said.endswith(known)
    assert {row["ranked"] for row in rows} == {True, False}


def test_badge__nothing_closed__is_not_available() -> None:
    assert "not available" in badge({"ranked": True, "closed": 0, "known_verified": 0})


def test_badge__unknown_network__is_not_found(client: TestClient) -> None:
    path = f"1/0x{'00' * 20}/0x{'00' * 32}"

    assert client.get(f"{API}/networks/{path}/badge.svg").status_code == 404
