"""An operator from nothing to verified inferences, on a chain of your own.

    make node                                                  # in another terminal
    .venv/bin/python examples/operate.py http://127.0.0.1:8545

Run it again after a crash at any point: it goes on, and sends nothing twice. The committee here is
one member, the operator itself: it shows how an audit is made, and is worth nothing to others.
"""

import os
import sys
from dataclasses import replace

import tallystick
from tallystick import CommitteeTerms, Grade, InferenceRecord, Rules, State

# The first account of the well-known development mnemonic, for local chains only.
LOCAL_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ETHER = 10**18


def square(data: bytes) -> bytes:
    """The model: from canonical input to canonical output."""
    return b"%d" % int(data) ** 2


def main(url: str) -> None:
    registry = tallystick.deploy(url, key=os.environ.get("TALLYSTICK_KEY", LOCAL_KEY))
    me = registry.account
    assert me is not None

    rules = Rules(
        stake_per_inference=10**12,  # wei, locked for each inference until it is over
        demand_bond=10**15,
        challenge_window=60,  # seconds; days where it matters
        response_window=20,
        ruling_window=20,
        permissionless=True,
    )
    terms = CommitteeTerms(
        asset=bytes(20),  # the native coin
        threshold=1,
        min_drawn=2,
        seed_delay=1,
        exit_delay=rules.life,
        min_stake=ETHER,
        arbiter=bytes(20),
    )
    committee = registry.deploy_committee(terms, [(me, me)])
    audited = replace(rules, attestors=(committee.address, bytes(20), bytes(20)))
    network = registry.create_network("Squares", audited)
    model = network.register_model("square", __file__, spec=b"the square of a decimal number")
    if network.lane().stake < ETHER:
        network.stake(ETHER)

    inputs = [b"%d" % number for number in range(3)]
    batch = network.submit(
        model, [InferenceRecord(input=data, output=square(data)) for data in inputs]
    )
    for receipt in batch.receipts:
        receipt.check()
    print(f"committed {len(batch)} in {batch}; receipts in {batch.receipts_file}")

    found = batch.status()
    if found.state is State.OPEN and found.grade is Grade.UNCHALLENGED:
        # A block after the commit seeds the draw; on this chain blocks come with transactions only.
        committee.stake(ETHER)
        registry.deposit(1)
        batch.attest(Grade.AUDITED, committee.audit(batch, square).evidence())
    print("audited; waiting for the end of the challenge window")
    batch.wait()
    totals = network.totals()
    print(f"committed {totals.committed}, verified {totals.verified}: audited {totals.audited}")


if __name__ == "__main__":
    main(sys.argv[1])
