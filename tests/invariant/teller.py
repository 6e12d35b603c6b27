"""What the contracts are told of batches: ids, stamps, pre-images, openings, signatures."""

import random
from typing import Any

from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.batch import NO_DISPUTE, Batch, Dispute, PreImage, Stamp
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enums import DisputeKind
from tallystick.protocol.inference import Inference, hash_leaves
from tallystick.protocol.opening import Opening
from tallystick.protocol.signature import account_of
from tests.invariant import model as plain
from tests.invariant.trees import Sprig

KEYS = [bytes([5]) * 31 + bytes([number]) for number in (1, 2)]
REQUESTERS = {account_of(key): key for key in KEYS}
"""Secret keys by account."""


class Teller:
    """Turns claims into words, each tree, id and signature once."""

    def __init__(self, domain: Domain, choose: random.Random) -> None:
        self.domain, self.choose = domain, choose
        self.networks: list[bytes] = []
        self.models: list[bytes] = []
        self.unknown = ZERO32
        """What to call plain.UNKNOWN."""
        self._sprigs: dict[plain.Batch, Sprig] = {}
        self._ids: dict[plain.Batch, bytes] = {}
        self._signatures: dict[Inference, bytes] = {}

    def id_of(self, network: int) -> bytes:
        return self.unknown if network == plain.UNKNOWN else self.networks[network]

    def model_of(self, network: int) -> bytes:
        return self.unknown if network == plain.UNKNOWN else self.models[network]

    def sprig(self, batch: plain.Batch) -> Sprig:
        if batch not in self._sprigs:
            self._sprigs[batch] = Sprig.grow(hash_leaves(batch.leaves), batch.count)
        return self._sprigs[batch]

    def trim(self, batch: plain.Batch) -> None:
        """Let the batch's tree end with the leaves that are known: no tree is of its count."""
        self._sprigs[batch] = Sprig.grow(hash_leaves(batch.leaves), len(batch.leaves))

    def signature(self, leaf: Inference) -> bytes:
        """The requester's, of the request behind a leaf."""
        if leaf not in self._signatures:
            key = REQUESTERS[leaf.requester]
            self._signatures[leaf] = leaf.request().sign(self.domain, key)
        return self._signatures[leaf]

    def batch_of(self, claim: plain.Claim) -> Batch:
        batch = claim.batch
        return Batch(
            self.id_of(batch.network),
            batch.operator,
            claim.index,
            self.model_of(batch.network),
            self.sprig(batch).root,
            claim.count,
            claim.commit_deadline,
        )

    def id(self, batch: plain.Batch) -> bytes:
        """The batch's own id."""
        if batch not in self._ids:
            self._ids[batch] = self.batch_of(batch.claim()).id()
        return self._ids[batch]

    def stamp(self, claim: plain.Claim) -> Stamp:
        return Stamp(claim.slot, claim.count, claim.committed_at, claim.block, claim.closes_at)

    def pre_image(self, claim: plain.Claim) -> PreImage:
        dispute = NO_DISPUTE
        if claim.kind is not DisputeKind.NONE or claim.undisputed() != claim:
            known = claim.leaf != plain.NO_LEAF
            leaf = claim.batch.leaves[claim.leaf].leaf() if known else ZERO32
            dispute = Dispute(
                claim.kind, claim.with_bytes, claim.party, claim.place, claim.due, leaf
            )
        return PreImage(self.batch_of(claim), self.stamp(claim), dispute)

    def ref(self, claim: plain.Claim) -> tuple[bytes, bytes]:
        """Id and stamp."""
        return self.batch_of(claim).id(), self.stamp(claim).pack()

    def opening(self, batch: plain.Batch, place: int, sound: bool = True) -> Any:
        proof = self.sprig(batch).proof(place)
        if not sound:
            proof = (*proof, ZERO32) if self.choose.random() < 0.5 or not proof else proof[:-1]
        return Opening(batch.leaves[place], place, proof).abi()
