"""Gas of the registry's operations: whole transactions, steady state, Osaka's rules.

Steady state: slots were used before, counters and credits are not zero, payees are not new. All
inputs are fixed, so each figure is exact and the same on every machine.
"""

from tallystick.protocol.batch import ARCHIVE_DELAY, Dispute
from tallystick.protocol.enums import Ruling
from tests.gas.budget import Budget
from tests.support.chain import Chain
from tests.support.committee import Committee, found
from tests.support.story import Committed, Network, fund, register

COUNT = 1000
"""Inferences of a batch; depth 10."""
SIGNERS = (1, 3, 7)


BUDGETS = {
    "commit over a finalizable batch": Budget(50_000, "EAS timestamp 45,869; EAS attest 180,132"),
    "commitMany, further batch, same lane": Budget(18_000, "Olas 129,801 at 50"),
    "commitMany, further batch, another network": Budget(27_000, "EAS multiAttest 240,304 at 10"),
    "commitFor, a list of one, by the key": Budget(54_000, "as commit, by a key that owns nothing"),
    "per inference at 1,000 a batch": Budget(50, "OpenGradient 28, event only"),
    "per inference at 1,000,000 a batch": Budget(0.05, "OpenGradient 28, event only"),
    "challenge, depth 10": Budget(54_000, "opML 151,147; UMA 315,997"),
    "resolve Upheld, 1 signature": Budget(66_000, "Infernet 84,346"),
    "resolve Upheld, 3 signatures": Budget(77_000, "UMA 117,818 + 168,586 a voter"),
    "resolve Upheld, 7 signatures": Budget(99_000, "the same"),
    "resolve Rejected, 1 signature": Budget(95_000, "the same"),
    "resolve Rejected, 3 signatures": Budget(106_000, "the same"),
    "resolve Rejected, 7 signatures": Budget(128_000, "the same"),
    "finalize one": Budget(42_000, "UMA settle 62,847"),
    "finalize, each further of the lane": Budget(12_000, "the same"),
}


class Scenario:
    """One operator in two networks, with used slots, and a committee for each threshold."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.owner, self.operator, self.challenger = chain.accounts[1:4]
        self.committees = {k: found(chain, threshold=k, members=max(k, 3)) for k in SIGNERS}
        first = self.committees[1]
        self.network = self._network(first, 0)
        self.other = self._network(first, 1)

    def figures(self) -> dict[str, float]:
        """Return gas by operation, in the order of the budgets."""
        found: dict[str, float] = {}
        over = self._commit_over()
        found["commit over a finalizable batch"] = over
        found |= self._commit_many()
        found["commitFor, a list of one, by the key"] = self._commit_for()
        found["per inference at 1,000 a batch"] = over / COUNT
        found["per inference at 1,000,000 a batch"] = over / 1_000_000
        with self.chain.isolated():
            found["challenge, depth 10"] = self._challenge(self.network)[2]
        for k, committee in self.committees.items():
            network = self.network if k == 1 else self._network(committee, k)
            plural = "" if k == 1 else "s"
            for ruling in (Ruling.UPHELD, Ruling.REJECTED):
                gas = self._resolve(network, committee, k, ruling)
                found[f"resolve {ruling.name.title()}, {k} signature{plural}"] = gas
        found |= self._finalize()
        return {name: found[name] for name in BUDGETS}

    def _network(self, committee: Committee, salt: int) -> Network:
        network = register(
            self.chain, self.owner, salt=salt, arbiter=committee.address, stake_per_inference=10
        )
        network.join(self.operator)
        fund(self.chain, bytes(20), self.challenger, 10**6)
        # Counters of losses, and the credits that rulings pay, are not new.
        batch = network.commit(self.operator, count=2, shape=lambda leaves: leaves[::-1])
        self.chain.send(
            self.challenger, "faultOrder", batch.pre_image(), batch.opening(0), batch.opening(1)
        )
        for slot in (1, 2):
            network.final(self.operator, slot, count=2)
        return network

    def _finalizable(self, network: Network, slot: int = 0) -> Committed:
        batch = network.commit(self.operator, COUNT, slot)
        self.chain.at(batch.closes_at + ARCHIVE_DELAY).mine()
        return batch

    def _commit_over(self) -> int:
        with self.chain.isolated():
            before = self._finalizable(self.network)
            return self.network.commit(self.operator, COUNT, over=before).mined.gas_used

    def _commit_for(self) -> int:
        with self.chain.isolated():
            key = self.chain.accounts[4]
            self.chain.send(self.operator, "setKey", key)
            before = self._finalizable(self.network)
            index = self.network.lane(self.operator).next_index
            commitment = self.network.commitment(
                self.network.inferences(self.operator, COUNT, index, self.chain.now + 900),
                index,
                replaced_id=before.id,
                replaced_stamp=before.stamp.pack(),
            )
            return self.chain.send(key, "commitFor", self.operator, [commitment]).gas_used

    def _commit_many(self) -> dict[str, float]:
        def spent(*targets: tuple[Network, int]) -> int:
            with self.chain.isolated():
                before = [network.commit(self.operator, COUNT, slot) for network, slot in targets]
                self.chain.at(before[-1].closes_at + ARCHIVE_DELAY).mine()
                deadline = self.chain.now + 900
                next_index = {
                    network.id: network.lane(self.operator).next_index
                    for network in (self.network, self.other)
                }
                commitments = []
                for (network, slot), replaced in zip(targets, before, strict=True):
                    index = next_index[network.id]
                    next_index[network.id] += 1
                    commitments.append(
                        network.commitment(
                            network.inferences(self.operator, COUNT, index, deadline),
                            index,
                            slot,
                            replaced_id=replaced.id,
                            replaced_stamp=replaced.stamp.pack(),
                        )
                    )
                return self.chain.send(self.operator, "commitMany", commitments).gas_used

        one = spent((self.network, 0))
        return {
            "commitMany, further batch, same lane": spent((self.network, 0), (self.network, 1))
            - one,
            "commitMany, further batch, another network": spent((self.network, 0), (self.other, 0))
            - one,
        }

    def _challenge(self, network: Network) -> tuple[Committed, Dispute, int]:
        batch = network.commit(self.operator, COUNT)
        dispute, mined = batch.challenge(self.challenger, 7)
        return batch, dispute, mined.gas_used

    def _resolve(self, network: Network, committee: Committee, k: int, ruling: Ruling) -> int:
        with self.chain.isolated():
            self.chain.send(self.operator, "unstake", network.id, 1)
            if network.lane(self.operator).open_inferences:
                raise AssertionError("the lane is not as it was")
            batch, dispute, _ = self._challenge(network)
            evidence = committee.verdict(batch.id, 7, dispute.leaf, ruling, list(range(k)))
            leaf = batch.inferences[7].abi_leaf()
            mined = self.chain.send(
                self.challenger, "resolve", batch.pre_image(dispute), leaf, evidence
            )
            return mined.gas_used

    def _finalize(self) -> dict[str, float]:
        def spent(slots: int) -> int:
            with self.chain.isolated():
                batches = [self.network.commit(self.operator, COUNT, slot) for slot in range(slots)]
                self.chain.at(batches[-1].closes_at).mine()
                refs = [batch.ref for batch in batches]
                return self.chain.send(
                    self.challenger, "finalize", refs, self.network.id, self.operator
                ).gas_used

        one = spent(1)
        return {
            "finalize one": one,
            "finalize, each further of the lane": spent(2) - one,
        }
