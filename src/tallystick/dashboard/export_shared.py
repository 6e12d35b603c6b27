"""The files of an export that other sites read or show."""

from pathlib import Path

from tallystick.dashboard.card import card_of
from tallystick.dashboard.embed import embed
from tallystick.dashboard.feed import NAME, feed
from tallystick.dashboard.linked import index, network_page
from tallystick.dashboard.preview import preview
from tallystick.dashboard.site import Site
from tallystick.dashboard.snapshot import Snapshot


def write_shared(snapshot: Snapshot, folder: Path, site: Site) -> None:
    """Write the page's first file, each network's own file, and their pictures and feeds.

    Args:
        snapshot: what is shown.
        folder: of the export, which the page is in.
        site: where people will find it.

    Raises:
        PreviewError: this build of Pillow reads no font.
    """
    api = folder / "api/v1"
    (folder / "index.html").write_text(index(snapshot, site))
    (api / "preview.png").write_bytes(preview(card_of(snapshot)))
    (api / NAME).write_bytes(feed(snapshot, site))
    for key in snapshot.network_keys():
        for place, text in (
            ("networks", network_page(snapshot, key, site)),
            ("embed", embed(snapshot, key, site)),
        ):
            own = folder / place / key.path
            own.mkdir(parents=True)
            (own / "index.html").write_text(text)
        answers = api / "networks" / key.path
        (answers / "preview.png").write_bytes(preview(card_of(snapshot, key)))
        (answers / NAME).write_bytes(feed(snapshot, site, key))
