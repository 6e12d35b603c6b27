"""Pages of one thing as an export writes them: answers and lists, by their paths."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from tallystick.dashboard import schemas
from tallystick.dashboard.api_disputes import DisputeInFull
from tallystick.dashboard.api_models import ModelInFull
from tallystick.dashboard.api_operators import OperatorInFull
from tallystick.dashboard.api_requesters import Asked, RequesterInFull, RequesterOf
from tallystick.dashboard.api_resolvers import ResolverInFull, SeatsOf
from tallystick.dashboard.api_transactions import TransactionInFull
from tallystick.dashboard.events import Row
from tallystick.dashboard.models import model, model_keys
from tallystick.dashboard.network_key import PartKey, path_of
from tallystick.dashboard.one_dispute import dispute
from tallystick.dashboard.operators import operator, operator_keys
from tallystick.dashboard.requesters import asked, of_network, requester, requester_keys
from tallystick.dashboard.resolvers import resolver, resolver_keys, seats
from tallystick.dashboard.snapshot import Snapshot
from tallystick.dashboard.transactions import transaction, transaction_hashes
from tallystick.data.specs import KnownSpec


class One(NamedTuple):
    """An answer."""

    model: type[BaseModel]
    path: str
    found: Any


class Rows(NamedTuple):
    """A list; of a longer one the newest rows."""

    model: type[BaseModel]
    path: str
    rows: Sequence[Any]
    total: int
    state: str = ""


def hits(snapshot: Snapshot, most: int) -> list[Row]:
    """Return what the search box of an export finds: rows of schemas.Hit, `most` of a kind."""
    found: list[Row] = [
        key._asdict()
        | {"kind": "network", "title": snapshot.network(key)["name"]}
        | {"id": key.network_id}
        for key in snapshot.network_keys()
    ]
    for key in model_keys(snapshot, most):
        told = model(snapshot, key, {})
        named = {"title": told["name"], "network_id": told["network_id"]}
        found.append(_registry(key) | named | {"kind": "model", "id": key.model_id})
    accounts: dict[str, Sequence[tuple[int, str, str]]] = {
        "operator": operator_keys(snapshot, most),
        "requester": requester_keys(snapshot, most),
        "resolver": resolver_keys(snapshot, most),
    }
    for kind, keys in accounts.items():
        found += [_registry(key) | {"kind": kind, "title": "", "id": key[-1]} for key in keys]
    rows = snapshot.events.rows(
        "SELECT chain_id, address AS core, network_id::VARCHAR AS network_id, batch_id, "
        "transaction_hash FROM BatchCommitted ORDER BY block_number DESC, log_index DESC LIMIT ?",
        most,
    )
    for kind, column in (("batch", "batch_id"), ("transaction", "transaction_hash")):
        by_id = {row[column]: row for row in rows}
        found += [row | {"kind": kind, "title": "", "id": name} for name, row in by_id.items()]
    return found


def _registry(key: tuple[int, str, str]) -> Row:
    return {"chain_id": key[0], "core": key[1]}


def parts(snapshot: Snapshot, specs: Mapping[str, KnownSpec], most: int) -> Iterator[One | Rows]:
    """Yield the answers about each operator, model and so on: `most` of a kind, and of a list."""
    findable = {"version": snapshot.version, "hits": hits(snapshot, most)}
    yield One(schemas.Hits, "search", findable)
    for network in snapshot.network_keys():
        signed = of_network(snapshot, network)
        path = f"networks/{network.path}/requesters"
        yield Rows(RequesterOf, path, signed[:most], len(signed))
    for key in operator_keys(snapshot, most):
        base = f"operators/{path_of(key)}"
        yield One(OperatorInFull, base, operator(snapshot, key))
        yield _batches(snapshot, key, base, most)
        yield from _disputes(snapshot, key, base, most)
    for of_model in model_keys(snapshot, most):
        base = f"models/{path_of(of_model)}"
        yield One(ModelInFull, base, model(snapshot, of_model, specs))
        yield _batches(snapshot, of_model, base, most)
    for of_requester in requester_keys(snapshot, most):
        base = f"requesters/{path_of(of_requester)}"
        found = requester(snapshot, of_requester)
        yield One(RequesterInFull, base, found)
        rows = asked(snapshot, of_requester, 0, most)
        yield Rows(Asked, f"{base}/inferences", rows, found["asked"])
    for of_resolver in resolver_keys(snapshot, most):
        base = f"resolvers/{path_of(of_resolver)}"
        yield One(ResolverInFull, base, resolver(snapshot, of_resolver))
        held = seats(snapshot, of_resolver)
        yield Rows(SeatsOf, f"{base}/seats", held[:most], len(held))
        yield _rejections(snapshot, of_resolver, base, most)
    for row in snapshot.disputes.page("all", 0, most):
        place = row["chain_id"], row["core"], row["batch_id"], row["number"]
        path = path_of(("disputes", *place))
        yield One(DisputeInFull, path, dispute(snapshot, *place))
    for chain_id, hashed in transaction_hashes(snapshot, most):
        path = f"transactions/{chain_id}/{hashed}"
        yield One(TransactionInFull, path, transaction(snapshot, chain_id, hashed))


def _batches(snapshot: Snapshot, key: PartKey, base: str, most: int) -> Rows:
    batches = snapshot.batches
    rows = batches.page(key, 0, most)
    return Rows(schemas.Batch, f"{base}/batches", rows, batches.count(key))


def _disputes(snapshot: Snapshot, key: PartKey, base: str, most: int) -> Iterator[Rows]:
    disputes = snapshot.disputes
    for state in ("open", "past"):
        rows = disputes.page(state, 0, most, key)
        total = disputes.count(state, key)
        yield Rows(schemas.Dispute, f"{base}/disputes", rows, total, state)
    yield _rejections(snapshot, key, base, most)


def _rejections(snapshot: Snapshot, key: PartKey, base: str, most: int) -> Rows:
    disputes = snapshot.disputes
    rejected = disputes.rejected(0, most, key)
    return Rows(schemas.Rejection, f"{base}/rejections", rejected, disputes.rejected_count(key))
