"""Zk models that an operator answers for, each as registered, and taken by the network."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tallystick.actions.submission.proven import check_proof, proof_model
from tallystick.chain.deploy import create2_address
from tallystick.chain.registry import Registry
from tallystick.errors import TallystickError
from tallystick.node.errors import SettingsError
from tallystick.node.settings import ZK, ServedModel
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.ledger import Ledger
from tallystick.protocol.proof import ProofModel
from tallystick.zk.model import ZkModel
from tallystick.zk.proofs import ProofFolder


@dataclass(frozen=True, slots=True)
class ProvenModel:
    """A zk model, as evidence names it, and the proofs of its answers."""

    registered: ProofModel
    proofs: ProofFolder


def load_proven(
    served: Iterable[ServedModel], ledger: Ledger, registry: Registry, folder: Path
) -> dict[bytes, ProvenModel]:
    """Return the zk models among those served, by id.

    Args:
        served: from the settings, each registered.
        ledger: of the registry.
        registry: the contract.
        folder: of proofs.

    Raises:
        SettingsError: a model is not what is registered, its verifier is not on chain, or the
            network takes no such proofs.
    """
    found = {}
    for one in served:
        if one.runner != ZK:
            continue
        registered = ledger.models[one.id]
        try:
            model = ZkModel.load(one.file)
            verifier = create2_address(model.creation)
            shown = proof_model(registered, model.circuit, verifier)
            check_proof(registry, registered.network_id, model.circuit, verifier)
        except TallystickError as error:
            raise SettingsError(f"operator.models: {to_hex(one.id)}: {error}") from error
        found[one.id] = ProvenModel(shown, ProofFolder(folder, model))
    return found
