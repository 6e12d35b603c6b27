"""News as an Atom feed (RFC 4287)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.news import Item, news
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.strangers import plain

ATOM = "http://www.w3.org/2005/Atom"
TYPE = "application/atom+xml"
NAME = "feed.atom"
MOST = 100
"""Entries, the newest."""
_REGISTERED = "SELECT max(block_time) FROM NetworkRegistered"

ElementTree.register_namespace("", ATOM)


def feed(snapshot: Snapshot, site: Site, key: NetworkKey | None = None) -> bytes:
    """Return the newest news of a network, or of all of them, as Atom.

    Links are absolute where the page's place is known, else relative to the feed's.

    Args:
        snapshot: that tells.
        site: where the page is.
        key: None: all networks.

    Raises:
        NotHereError: no event tells of the network.
    """
    found = news(snapshot, key)[:MOST]
    of = f"networks/{key.path}/" if key else ""
    home = f"{site.url}/" if site.url else "../" * (6 if key else 2)
    name = plain(snapshot.network(key)["name"]) or "(no name)" if key else "all networks"
    root = ElementTree.Element(_name("feed"))
    _text(root, "id", f"tag:tallystick,2026:{key.path}/news" if key else "tag:tallystick,2026:news")
    _text(root, "title", f"Tallystick: {name}")
    _text(root, "updated", _time(_newest(snapshot, found)))
    _text(_under(root, "author"), "name", "Tallystick")
    place = f"{home}#/network/{key.path}" if key else f"{home}#/"
    _under(root, "link", rel="alternate", type="text/html", href=place)
    _under(root, "link", rel="self", type=TYPE, href=f"{home}api/v1/{of}{NAME}")
    for one in found:
        _entry(root, one, home)
    ElementTree.indent(root, " ")
    made: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _entry(root: ElementTree.Element, one: Item, home: str) -> None:
    entry = _under(root, "entry")
    _text(entry, "id", one.id)
    _text(entry, "title", one.title)
    _text(entry, "updated", _time(one.time))
    _under(entry, "category", term=one.kind)
    _under(entry, "link", rel="alternate", type="text/html", href=f"{home}#/{one.path}")
    told = [f"{name}: {value}" for name, value in one.facts.items() if value is not None]
    _text(entry, "summary", "; ".join(told))


def _newest(snapshot: Snapshot, found: Sequence[Item]) -> int:
    if found:
        return found[0].time
    return int(snapshot.events.value(_REGISTERED) or 0)


def _name(tag: str) -> str:
    return f"{{{ATOM}}}{tag}"


def _under(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, _name(tag), attributes)


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    _under(parent, tag).text = text


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
