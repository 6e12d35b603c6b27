"""The proxy before a signing endpoint as a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.local_server import LocalServer


@contextmanager
def enclave_proxy(folder: Path, endpoint: str, *options: str) -> Iterator[LocalServer]:
    """Start a proxy before an endpoint; it is ended at the end, whatever happens."""
    found = LocalServer(folder, ["enclave-http", "proxy", endpoint, *options])
    try:
        found.start()
        yield found
    finally:
        if found.process is not None:
            found.process.kill()
            found.process.wait()
