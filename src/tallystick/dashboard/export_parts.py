"""Pages of one thing as an export writes them: answers and lists, by their paths."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from tallystick.dashboard import schemas
from tallystick.dashboard.api_disputes import DisputeInFull
from tallystick.dashboard.api_models import ModelInFull
from tallystick.dashboard.api_operators import OperatorInFull
from tallystick.dashboard.api_requesters import Asked, RequesterInFull
from tallystick.dashboard.api_resolvers import ResolverInFull, SeatsOf
from tallystick.dashboard.api_transactions import TransactionInFull
from tallystick.dashboard.models import model, model_keys
from tallystick.dashboard.network_key import PartKey
from tallystick.dashboard.one_dispute import dispute
from tallystick.dashboard.operators import operator, operator_keys
from tallystick.dashboard.requesters import asked, requester, requester_keys
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


def parts(snapshot: Snapshot, specs: Mapping[str, KnownSpec], most: int) -> Iterator[One | Rows]:
    """Yield the answers about each operator, model and so on: `most` of a kind, and of a list."""
    for key in operator_keys(snapshot, most):
        base = f"operators/{key.path}"
        yield One(OperatorInFull, base, operator(snapshot, key))
        yield _batches(snapshot, key, base, most)
        yield from _disputes(snapshot, key, base, most)
    for of_model in model_keys(snapshot, most):
        base = f"models/{of_model.path}"
        yield One(ModelInFull, base, model(snapshot, of_model, specs))
        yield _batches(snapshot, of_model, base, most)
    for of_requester in requester_keys(snapshot, most):
        base = f"requesters/{of_requester.path}"
        found = requester(snapshot, of_requester)
        yield One(RequesterInFull, base, found)
        rows = asked(snapshot, of_requester, 0, most)
        yield Rows(Asked, f"{base}/inferences", rows, found["asked"])
    for of_resolver in resolver_keys(snapshot, most):
        base = f"resolvers/{of_resolver.path}"
        yield One(ResolverInFull, base, resolver(snapshot, of_resolver))
        held = seats(snapshot, of_resolver)
        yield Rows(SeatsOf, f"{base}/seats", held[:most], len(held))
        yield _rejections(snapshot, of_resolver, base, most)
    for row in snapshot.disputes.page("all", 0, most):
        place = row["chain_id"], row["core"], row["batch_id"], row["number"]
        path = "/".join(map(str, ("disputes", *place)))
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
