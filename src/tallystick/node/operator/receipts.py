"""Receipts from the journal: of an inference, once the chain has its batch."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from tallystick.node.operator.journal import InferencePlace, OperatorJournal, PendingBatch
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.inference import hash_leaves
from tallystick.protocol.merkle import Tree
from tallystick.protocol.opening import Opening
from tallystick.protocol.receipt import Receipt

_KEPT = 4
"""Trees in memory."""


class Receipts:
    """Receipts of one lane.

    Args:
        journal: the lane's.
        domain: chain id and registry.
        is_generating: tells of a request, 32 bytes, whether its answer is being generated.
    """

    def __init__(
        self,
        journal: OperatorJournal,
        domain: Domain,
        is_generating: Callable[[bytes], bool] = lambda request: False,
    ) -> None:
        self._journal, self._domain, self._is_generating = journal, domain, is_generating
        self._lock = Lock()
        self._trees: OrderedDict[bytes, tuple[Tree, dict[tuple[bytes, int], int]]] = OrderedDict()

    def find(self, requests: Sequence[bytes]) -> list[dict[str, Any] | None]:
        """Return what is to be said of requests, None of an unknown one.

        `state` is accepted, generating, answered, in batch, committed or expired (its deadline was
        missed); once it is committed, `receipt` is there.

        Args:
            requests: hashStruct of each Request, 32 bytes.
        """
        places = self._journal.find(requests)
        return [
            None if place is None else self._said(request, place)
            for request, place in zip(requests, places, strict=True)
        ]

    def _said(self, request: bytes, place: InferencePlace) -> dict[str, Any]:
        said: dict[str, Any] = {"request": to_hex(request), "state": self._state(request, place)}
        noted = place.batch
        if noted is not None:
            said["batch_id"] = to_hex(noted.batch.id())
            if noted.stamp is not None and noted.transaction is not None:
                said["receipt"] = self._receipt(place, noted).to_json()
        return said

    def _receipt(self, place: InferencePlace, noted: PendingBatch) -> Receipt:
        assert noted.stamp is not None and noted.transaction is not None
        tree, indices = self._tree(noted)
        inference = place.record.inference(noted.batch.model_id, noted.batch.operator)
        index = indices[inference.key]
        return Receipt.of(
            self._domain.chain_id,
            self._domain.contract,
            noted.batch,
            noted.stamp,
            Opening(inference, index, tree.proof(index)),
            place.record.signature,
            noted.transaction,
        )

    def _tree(self, noted: PendingBatch) -> tuple[Tree, dict[tuple[bytes, int], int]]:
        batch = noted.batch
        batch_id = batch.id()
        with self._lock:
            kept = self._trees.get(batch_id)
            if kept is not None:
                self._trees.move_to_end(batch_id)
                return kept
            records = self._journal.records(noted)
            inferences = [one.inference(batch.model_id, batch.operator) for one in records]
            tree = Tree.from_leaves(hash_leaves(inferences))
            indices = {one.key: index for index, one in enumerate(inferences)}
            self._trees[batch_id] = tree, indices
            if len(self._trees) > _KEPT:
                self._trees.popitem(last=False)
            return tree, indices

    def _state(self, request: bytes, place: InferencePlace) -> str:
        if place.batch is not None:
            return "in batch" if place.batch.stamp is None else "committed"
        if place.expired:
            return "expired"
        if place.answered:
            return "answered"
        return "generating" if self._is_generating(request) else "accepted"
