"""What the page carries of others is what npm has under the locked versions."""

from pathlib import Path

import pytest

from tallystick.dashboard.app import PAGE

ROOT = Path(__file__).parents[2]
CARRIED = {
    "instrument-sans/instrument-sans-latin-wght-normal.woff2": "@fontsource-variable/"
    "instrument-sans/files/instrument-sans-latin-wght-normal.woff2",
    "instrument-sans/LICENSE": "@fontsource-variable/instrument-sans/LICENSE",
    "ibm-plex-mono/ibm-plex-mono-latin-400-normal.woff2": "@fontsource/ibm-plex-mono/files/"
    "ibm-plex-mono-latin-400-normal.woff2",
    "ibm-plex-mono/LICENSE": "@fontsource/ibm-plex-mono/LICENSE",
    "chart.js/chart.umd.min.js": "chart.js/dist/chart.umd.min.js",
    "chart.js/LICENSE.md": "chart.js/LICENSE.md",
    "chart.js/LICENSE.color.md": "@kurkle/color/LICENSE.md",
    "noble-hashes/sha3.js": "@noble/hashes/sha3.js",
    "noble-hashes/_u64.js": "@noble/hashes/_u64.js",
    "noble-hashes/utils.js": "@noble/hashes/utils.js",
    "noble-hashes/LICENSE": "@noble/hashes/LICENSE",
    "noble-secp256k1/index.js": "@noble/secp256k1/index.js",
    "noble-secp256k1/LICENSE": "@noble/secp256k1/LICENSE",
}


@pytest.mark.parametrize(("carried", "source"), CARRIED.items())
def test_vendor__each_file__equals_npms(carried: str, source: str) -> None:
    assert (PAGE / "vendor" / carried).read_bytes() == (ROOT / "node_modules" / source).read_bytes()


def test_vendor__folder__holds_nothing_else() -> None:
    held = {
        path.relative_to(PAGE / "vendor").as_posix()
        for path in (PAGE / "vendor").rglob("*")
        if path.is_file()
    }

    assert held == set(CARRIED)
