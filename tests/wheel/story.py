"""What is played with the wheel alone: deploy, register, stake, commit on a local chain, and tally.

Run by the environment's Python in an empty folder; imports nothing of the checkout.
"""

import json
import subprocess
import sys
from pathlib import Path

import tallystick


def tally(*arguments: str) -> str:
    done = subprocess.run(["tallystick", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"tallystick {arguments}: {done.stderr}"
    return done.stdout


def without_an_extra() -> None:
    assert tally("--version").strip().endswith(tallystick.__version__)
    assert "totals" in tally("--help")
    for command, extra in (("serve", "dashboard"), ("totals", "totals")):
        done = subprocess.run(["tallystick", command], capture_output=True, text=True)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
        assert f"pip install 'tallystick[{extra}]'" in done.stderr, done.stderr
    print("without an extra: help works, a missing extra is one line that names it")


def deploys_submits_and_tallies() -> None:
    from eth_account import Account

    from tallystick.actions.submission.slots import SlotChoice
    from tallystick.chain.deploy import creation_code, deploy
    from tallystick.chain.localnet import MNEMONIC, localnet
    from tallystick.chain.registry import Registry
    from tallystick.chain.sender import Web3Sender
    from tallystick.protocol.abi_words import ZERO32, ZERO_ADDRESS
    from tallystick.protocol.batch import Batch
    from tallystick.protocol.hexes import checksummed
    from tallystick.protocol.keccak import keccak256
    from tallystick.protocol.record import InferenceRecord
    from tallystick.protocol.rules import Rules, model_id, network_id
    from tallystick.storage.batch_store import BatchStore

    Account.enable_unaudited_hdwallet_features()
    with localnet() as w3:
        sender = Web3Sender(w3, Account.from_mnemonic(MNEMONIC))
        address, _ = deploy(w3, sender, creation_code("Tallystick"))
        registry, ether = Registry(w3, address), 10**18

        def send(name: str, *arguments: object, value: int = 0) -> None:
            sender.send(registry.call(name, *arguments, value=value))

        rules = Rules(
            stake_per_inference=10**12,
            challenge_window=3600,
            response_window=600,
            ruling_window=600,
            demand_bond=10**15,
            permissionless=True,
        )
        network = network_id(31337, address, sender.address, ZERO32, rules)
        send("registerNetwork", ZERO32, rules.abi(), ZERO32, "Wheel", "")
        hashes = keccak256(b"content"), keccak256(b"spec"), ZERO32
        model = model_id(network, sender.address, *hashes)
        send("registerModel", network, *hashes, "model", "")
        send("deposit", ZERO_ADDRESS, ether, value=ether)
        send("stake", network, ether)

        now = w3.eth.get_block("latest")["timestamp"]
        records = [
            InferenceRecord(keccak256(b"in"), keccak256(b"out"), nonce=n, deadline=now + 600)
            for n in range(5)
        ]
        root = BatchStore("batches").put(model, sender.address, records)
        batch = Batch(network, sender.address, 0, model, root, len(records), now + 600)
        send("commit", SlotChoice(0).commitment(batch))

        url = w3.provider.endpoint_uri
        named = checksummed(address)
        tally("extract", named, "--rpc", url, "--from-block", "0", "--depth", "0")
        tally("collect", "batches")
        (row,) = json.loads(tally("totals", "--format", "json"))
        assert (row["committed"], row["verified"]) == (5, 0), row
        tally("reconcile", "--rpc", f"{w3.eth.chain_id}={url}")
    print(f"deployed {named}, committed {row['committed']}; events and contract agree")


if __name__ == "__main__":
    assert Path(tallystick.__file__).is_relative_to(sys.prefix), tallystick.__file__
    globals()[sys.argv[1].replace(",", "").replace(" ", "_")]()
