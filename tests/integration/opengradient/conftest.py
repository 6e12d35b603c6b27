"""The stand-in on a private chain, and an audit of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallystick.data.extract.dataset import Dataset
from tallystick.data.extract.extractor import ExtractPlan
from tallystick.opengradient.audit import Audited, audit
from tallystick.opengradient.blobs import BlobSource
from tallystick.opengradient.folder import Folder, extract_settlements
from tests.support.chain import Chain
from tests.support.opengradient import BlobServer, OpenGradient, Tee, blob_server


@pytest.fixture(scope="session")
def server() -> Iterator[BlobServer]:
    with blob_server() as found:
        yield found


@pytest.fixture
def blobs(server: BlobServer) -> BlobServer:
    for kept in (server.blobs, server.status, server.asked):
        kept.clear()
    return server


@pytest.fixture
def og(chain: Chain, blobs: BlobServer) -> OpenGradient:
    return OpenGradient.deployed(chain, blobs)


@pytest.fixture
def tee(og: OpenGradient) -> Tee:
    """An enclave whose key is registered."""
    tee = Tee()
    og.register(tee)
    return tee


@dataclass
class Auditor:
    """Extracts and audits into one data folder."""

    og: OpenGradient
    data: Dataset

    def extract(self, block_range: int = 16) -> Folder:
        url: str = self.og.chain.w3.provider.endpoint_uri  # type: ignore[attr-defined]
        plan = ExtractPlan([url], self.og.relay_address, depth=0, block_range=block_range)
        folder, _, _ = extract_settlements(self.data, plan, self.og.registry_address)
        return folder

    def source(self) -> BlobSource:
        return BlobSource(self.og.blobs.url, timeout=5)

    def run(self) -> list[Audited]:
        return audit(self.extract(), self.source(), workers=1)


@pytest.fixture
def auditor(og: OpenGradient, tmp_path: Path) -> Auditor:
    return Auditor(og, Dataset(tmp_path / "data"))
