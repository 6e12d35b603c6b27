"""HTML that other sites read when somebody sends a link to the page, or to a network of it."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from tallystick.dashboard import definitions
from tallystick.dashboard.card import Card, card_of
from tallystick.dashboard.feed import NAME, TYPE
from tallystick.dashboard.network_key import NetworkKey
from tallystick.dashboard.preview import SIZE
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot

PAGE = Path(__file__).parent / "page"
UP = "../" * 4
"""The way from a network's own file to the page."""
_SOURCE = '<meta name="tallystick-source" content="server">'
_DESCRIPTION = '    <meta name="description"'
_LAST_LINK = '            <li><a href="#/counting">How it is counted</a></li>\n'
_DOCS = '            <li><a href="docs/">Docs</a></li>\n'


def index(snapshot: Snapshot, site: Site) -> str:
    """Return the page's first file, with what other sites show beside a link to it."""
    text = (PAGE / "index.html").read_text()
    if site.files:
        text = text.replace(_SOURCE, _SOURCE.replace("server", "files"))
    if site.docs:
        text = text.replace(_LAST_LINK, _LAST_LINK + _DOCS)
    before, rest = text.split(_DESCRIPTION, 1)
    after = rest.split("\n", 1)[1]
    return before + _lines(_tags(card_of(snapshot), site, "", "")) + after


def network_page(snapshot: Snapshot, key: NetworkKey, site: Site) -> str:
    """Return a network's own file: its card in words, and a script that opens the page there."""
    card = card_of(snapshot, key)
    head = _lines(_tags(card, site, f"networks/{key.path}/", UP))
    return (
        '<!doctype html>\n<html lang="en">\n  <head>\n    <meta charset="utf-8">\n'
        '    <meta http-equiv="Content-Security-Policy" content="default-src \'self\'; '
        "base-uri 'none'; form-action 'none'; object-src 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'\">\n"
        '    <meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '    <meta name="referrer" content="no-referrer">\n'
        f"    <title>{escape(card.title)} · Tallystick</title>\n{head}"
        f'    <link rel="icon" href="{UP}icon.svg" type="image/svg+xml">\n'
        f'    <link rel="stylesheet" href="{UP}tokens.css">\n'
        f'    <link rel="stylesheet" href="{UP}style.css">\n'
        f'    <script src="{UP}open.js" type="module"></script>\n  </head>\n  <body>\n'
        f'    <main class="inner">\n      <h1>{escape(card.title)}</h1>\n'
        f"      <p>{escape(card.about)}</p>\n      <p>{escape(card.description)}</p>\n"
        f'      <p><a id="open" href="{UP}#/network/{key.path}">Open the page of this network</a>'
        "</p>\n    </main>\n  </body>\n</html>\n"
    )


def _tags(card: Card, site: Site, path: str, up: str) -> Iterator[str]:
    """Yield the tags of Open Graph, which others read too, and what X calls its card."""
    title = card.title if card.key is None else f"{card.title}: verified AI inference"
    yield f'<meta name="description" content="{escape(card.description)}">'
    yield '<meta property="og:site_name" content="Tallystick">'
    yield '<meta property="og:type" content="website">'
    yield f'<meta property="og:title" content="{escape(title)}">'
    yield f'<meta property="og:description" content="{escape(card.description)}">'
    yield f'<meta name="tallystick-definitions" content="{definitions.VERSION}">'
    of = f"networks/{card.key.path}/" if card.key else ""
    yield f'<link rel="alternate" type="{TYPE}" title="News" href="{up}api/v1/{of}{NAME}">'
    if site.url:
        url, image = escape(f"{site.url}/{path}"), escape(f"{site.url}/api/v1/{of}preview.png")
        yield f'<link rel="canonical" href="{url}">'
        yield f'<meta property="og:url" content="{url}">'
        yield f'<meta property="og:image" content="{image}">'
        yield '<meta property="og:image:type" content="image/png">'
        yield f'<meta property="og:image:width" content="{SIZE[0]}">'
        yield f'<meta property="og:image:height" content="{SIZE[1]}">'
        words = f"{card.title}. {card.description}"
        yield f'<meta property="og:image:alt" content="{escape(words)}">'
    yield f'<meta name="twitter:card" content="{"summary_large_image" if site.url else "summary"}">'


def _lines(tags: Iterator[str]) -> str:
    return "".join(f"    {tag}\n" for tag in tags)
