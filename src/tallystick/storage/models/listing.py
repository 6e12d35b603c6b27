"""Models registered on chain, with their lineage, and where a copy of each answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.protocol.ledger import Model
from tallystick.storage.models.content import is_qi8, needs_trace
from tallystick.storage.models.errors import ModelStoreError
from tallystick.storage.models.manifest import ModelManifest
from tallystick.storage.models.store import ModelStore


@dataclass(frozen=True, slots=True)
class Listed:
    """One registered model."""

    model: Model
    lineage: tuple[bytes, ...]
    """Ids of the versions before it, the first of all first."""
    size: int | None
    """Bytes, as the first copy says; None: no copy answers."""
    copies: tuple[str, ...]
    """URLs of stores that have it."""

    @property
    def version(self) -> int:
        """The number of versions up to this one, itself included."""
        return len(self.lineage) + 1

    @property
    def spec(self) -> str:
        """The spec's name where it is known, else its hash as hex text."""
        if not is_qi8(self.model.spec_hash):
            return f"0x{self.model.spec_hash.hex()}"
        return "QI8-1T" if needs_trace(self.model.spec_hash) else "QI8-1"


def list_models(
    models: Mapping[bytes, Model], stores: Sequence[ModelStore], network_id: bytes | None = None
) -> list[Listed]:
    """Return registered models, a version after the one that it comes from.

    Args:
        models: by id, of the ledger.
        stores: asked for copies; one that does not answer has none.
        network_id: only of this network, 32 bytes; None: of all.
    """
    found = []
    for model in models.values():
        if network_id not in (None, model.network_id):
            continue
        copies: list[tuple[str, ModelManifest]] = []
        for store in stores:
            try:
                copies.append((store.url, store.manifest(model.content_hash)))
            except ModelStoreError:
                continue
        found.append(
            Listed(
                model,
                lineage(models, model),
                copies[0][1].size if copies else None,
                tuple(url for url, _ in copies),
            )
        )
    return sorted(found, key=lambda one: (one.model.network_id, *_order(one)))


def lineage(models: Mapping[bytes, Model], model: Model) -> tuple[bytes, ...]:
    """Return the ids of the versions before a model, the first of all first."""
    before: list[bytes] = []
    # The registry takes only registered parents, so that this ends.
    while (parent := models.get(model.parent)) is not None:
        before.append(parent.id)
        model = parent
    return tuple(reversed(before))


def _order(one: Listed) -> tuple[tuple[bytes, ...]]:
    return ((*one.lineage, one.model.id),)
