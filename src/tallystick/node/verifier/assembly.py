"""A verifier put together from its settings."""

from pathlib import Path

from web3 import Web3

from tallystick.chain import deployments
from tallystick.chain.panel import Panel
from tallystick.chain.registry import Registry
from tallystick.node.errors import SettingsError
from tallystick.node.rpc import other_nodes
from tallystick.node.settings import Common, Settings
from tallystick.node.verifier.acting import Acting
from tallystick.node.verifier.collecting import Collecting
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.journal import Journal
from tallystick.node.verifier.jury import Juror
from tallystick.node.verifier.later import Later
from tallystick.node.verifier.looking import Looking
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.money import Purse
from tallystick.node.verifier.outbox import Outbox
from tallystick.node.verifier.reader import Reader
from tallystick.node.verifier.revealed import Revealed
from tallystick.node.verifier.sharing import Peers, Shared, SharedFolder
from tallystick.node.verifier.signer import Signer
from tallystick.node.verifier.verifier import Verifier
from tallystick.node.verifier.watch import Watch


def assemble(settings: Settings, w3: Web3, signer: Signer) -> Verifier:
    """Return a verifier.

    Args:
        settings: with a verifier section.
        w3: connected, patient.
        signer: the node's account.

    Raises:
        SettingsError: the core is nowhere named, or not there.
        PanelError: a committee is not there.
    """
    own, common = settings.need_verifier(), settings.common
    registry, first = _core(common, w3)
    place = f"{w3.eth.chain_id}-{registry.address.hex()}"
    folder = common.data / f"verifier-{place}-{signer.address.hex()}"
    journal = Journal(folder / "journal.sqlite3")
    purse = Purse(journal, own.spending_cap_per_day, own.gas_price_cap)
    others = other_nodes(common, registry)
    reader = Reader(registry, journal, first, common.confirmations, others)
    outbox = Outbox(
        w3, signer, journal, purse, common.data, common.confirmations, dry_run=own.dry_run
    )
    stores = Stores(own.stores, folder / "batches", own.fetch_timeout, own.fetch_max_size)
    shared: list[Shared] = [Peers(own.share_peers)]
    if own.share_folder:
        shared.append(SharedFolder(Path(own.share_folder).expanduser()))
    panels = [Panel(w3, address) for address in own.committees]
    jurors = [Juror(panel, signer, journal, shared, own.turn_every) for panel in panels]
    revealed = Revealed(journal)
    models = Models(own.models, own.hub, folder / "models")
    later = Later(own.look_every)
    watch = Watch(own, registry, reader, signer.address, models, jurors)
    looking = Looking(own, watch, journal, stores, revealed, models, later)
    acting = Acting(own, watch, journal, outbox, stores, models, looking, later)
    collecting = Collecting(own, watch, journal, outbox, looking, models, later)
    return Verifier(watch, looking, acting, collecting, journal, outbox, folder)


def _core(common: Common, w3: Web3) -> tuple[Registry, int]:
    """Return the core, and the block where its events begin."""
    address, first = common.registry, common.first_block
    recorded = deployments.read(w3.eth.chain_id)
    if address is None:
        address = deployments.find(w3.eth.chain_id).address_bytes
    if not w3.eth.get_code(Web3.to_checksum_address(address)):
        raise SettingsError(f"common.registry: no contract is at 0x{address.hex()}")
    if first is None:
        blocks = [entry.block for entry in recorded if entry.address_bytes == address]
        first = min(blocks, default=0)
    return Registry(w3, address), first
