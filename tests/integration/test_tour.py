"""The README's five-minute tour: its commands as they stand, in a folder of their own."""

import json
import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from tallystick.chain.localnet import localnet
from tallystick.demo.processes import free_port
from tests.support.builds import ROOT
from tests.support.patience import PATIENCE

TOUR = re.search(r"## The five-minute tour.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def test_tour__as_in_the_readme__ends_verified_with_the_page_open(tmp_path: Path) -> None:
    assert TOUR is not None
    lines = TOUR[1].splitlines()
    assert lines[0].startswith("eval ") and lines[-1].startswith("tallystick serve ")
    for name in ("README.md", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TALLYSTICK_") or name == "TALLYSTICK_CACHE"
    }
    page = free_port()
    with localnet() as w3:
        url = w3.provider.endpoint_uri  # type: ignore[attr-defined]
        script = "\n".join(lines[1:-1]).replace("http://127.0.0.1:8545", url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=3600,
        )
        assert done.returncode == 0, (done.stdout[-2000:], done.stderr)
        (tally,) = json.loads(
            subprocess.run(
                ["tallystick", "tally", "--json", "--rpc", url],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                check=True,
            ).stdout
        )
        assert (tally["verified"], tally["audited"], tally["agrees"]) == (3, 3, True)
        serve = subprocess.Popen(
            ["tallystick", "serve", "--port", str(page)],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            networks = fetched(f"http://127.0.0.1:{page}/api/v1/networks")
        finally:
            serve.terminate()
            serve.wait(timeout=PATIENCE)
    assert [row["verified"] for row in networks["rows"]] == [3]


def fetched(url: str) -> Any:
    """What a server answers that is starting."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
