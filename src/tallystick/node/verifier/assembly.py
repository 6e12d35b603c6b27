"""A verifier put together from its settings."""

from pathlib import Path

from web3 import Web3

from tallystick.chain.cache import ChainCache
from tallystick.chain.committee import Committee
from tallystick.chain.confirmations import confirmations_of
from tallystick.chain.follower import Follower
from tallystick.chain.pool import Pool
from tallystick.chain.signer import Signer
from tallystick.node.rpc import locate, other_nodes
from tallystick.node.settings import Settings
from tallystick.node.verifier.backoff import Backoff
from tallystick.node.verifier.budget import Budget
from tallystick.node.verifier.claims import Claims
from tallystick.node.verifier.fetch import Stores
from tallystick.node.verifier.games import Games
from tallystick.node.verifier.inspector import Inspector
from tallystick.node.verifier.journal import VerifierJournal
from tallystick.node.verifier.membership import Membership
from tallystick.node.verifier.models import Models
from tallystick.node.verifier.outbox import Outbox
from tallystick.node.verifier.pool.auditor import Auditor
from tallystick.node.verifier.pool.duty import PoolDuty
from tallystick.node.verifier.pool.enrolment import Enrolment
from tallystick.node.verifier.pool.events import PoolEvents
from tallystick.node.verifier.pool.exchange import SealExchange, SealFolder, SealPeers
from tallystick.node.verifier.responder import Responder
from tallystick.node.verifier.revealed import Revealed
from tallystick.node.verifier.second_look import SecondLook
from tallystick.node.verifier.sharing import Peers, Shared, SharedFolder
from tallystick.node.verifier.verifier import Verifier
from tallystick.node.verifier.watch import Watch
from tallystick.protocol.scope import WHOLE, Scope
from tallystick.storage.batch_parser import BatchParser
from tallystick.storage.margins_file import MarginsFile


def assemble(settings: Settings, w3: Web3, signer: Signer) -> Verifier:
    """Return a verifier.

    Args:
        settings: with a verifier section.
        w3: connected, patient.
        signer: the node's account.

    Raises:
        SettingsError: the registry is nowhere named, or not there.
        CommitteeError: a committee is not there.
        PoolError: a pool is not there.
    """
    own, common = settings.need_verifier(), settings.common
    registry, first_block = locate(w3, common)
    chain_id = w3.eth.chain_id
    confirmations = confirmations_of(common.confirmations, chain_id).blocks
    place = f"{chain_id}-{registry.address.hex()}"
    folder = common.data / f"verifier-{place}-{signer.address.hex()}"
    journal = VerifierJournal(folder / "journal.sqlite3")
    budget = Budget(journal, own.spending_cap_per_day, own.gas_price_cap)
    others = other_nodes(common, registry)
    follower = Follower(
        registry,
        first_block,
        confirmations,
        others,
        Scope.network(*own.networks) if own.networks else WHOLE,
        ChainCache(folder / "chain.sqlite3"),
        cargo=True,
    )
    outbox = Outbox(w3, signer, journal, budget, common.data, confirmations, dry_run=own.dry_run)
    parser = BatchParser(own.fetch_max_size, own.parse_memory, own.parse_timeout, journal.tried)
    parser.warm()
    stores = Stores(own.stores, folder / "batches", own.fetch_timeout, own.fetch_max_size, parser)
    shared: list[Shared] = [Peers(own.share_peers)]
    if own.share_folder:
        shared.append(SharedFolder(Path(own.share_folder).expanduser()))
    committees = [Committee(w3, address) for address in own.committees]
    memberships = [
        Membership(committee, signer, journal, shared, own.turn_every) for committee in committees
    ]
    auditor = None
    if own.pool is not None:
        exchanges: list[SealExchange] = [SealPeers(own.share_peers)]
        if own.share_folder:
            exchanges.append(SealFolder(Path(own.share_folder).expanduser()))
        pool = Pool(w3, own.pool.address)
        auditor = Auditor(pool, signer, journal, exchanges, own.turn_every)
    revealed = Revealed(follower)
    models = Models(own.models, own.model_stores, folder / "models")
    backoff = Backoff(own.look_every)
    watch = Watch(
        own, registry, follower, signer.address, models, memberships, journal.heads, auditor
    )
    margins = MarginsFile(folder / "margins.jsonl")
    inspector = Inspector(own, watch, journal, stores, revealed, models, backoff, margins)
    second = SecondLook(registry, others)
    games = Games(watch, inspector, outbox, models, backoff, folder)
    responder = Responder(own, watch, journal, outbox, stores, models, backoff, second, games)
    claims = Claims(own, watch, journal, outbox, inspector, models, backoff)
    duty = None
    if own.pool is not None and auditor is not None:
        events = PoolEvents(auditor.pool, auditor.key, first_block or 0)
        seats = Enrolment(own.pool, auditor, watch, journal, outbox, events, backoff)
        duty = PoolDuty(
            *(own, auditor, watch, journal, outbox, inspector, models, backoff, second),
            *(seats, events, folder),
        )
    return Verifier(watch, inspector, responder, games, claims, journal, outbox, folder, duty)
