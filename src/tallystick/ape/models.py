"""Model files, examined before they are registered."""

from pathlib import Path

from tallystick.api.model_hashes import Examined, examined
from tallystick.cli.session import Session


def examine(
    session: Session,
    network_id: bytes,
    content: Path,
    spec: Path | bytes | None,
    samples: Path | None,
    comparison_elsewhere: bool,
) -> Examined:
    """Return content and spec hash of a model file, and what it is; see examined for errors."""
    return examined(session.registry, network_id, content, spec, samples, comparison_elsewhere)
