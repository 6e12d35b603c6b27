"""Model files, hashed for registration."""

from pathlib import Path

from tallystick.api.model_hashes import model_hashes
from tallystick.cli.session import Session


def hashes_of(
    session: Session, network_id: bytes, content: Path, spec: Path | None
) -> tuple[bytes, bytes]:
    """Return content and spec hash of a model file; see model_hashes for errors."""
    return model_hashes(session.registry, network_id, content, spec)
