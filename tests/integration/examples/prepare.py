"""What examples need to be there before they run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from eth_account import Account

from tallystick.chain.localnet import MNEMONIC, mine
from tallystick.client.enclave_endpoint import keep as keep_exchange
from tallystick.client.kept_exchanges import KeptExchanges
from tallystick.demo.digits import model as floating
from tallystick.demo.digits import quantized
from tallystick.node.operator.journal import OperatorJournal
from tallystick.protocol.hexes import checksummed, to_hex
from tallystick.protocol.http_signature import SignedExchange
from tallystick.protocol.inference import Inference
from tallystick.replay.engine import Engine
from tallystick.replay.game import GameTrace
from tests.integration.examples import pool
from tests.integration.examples.stage import Stage
from tests.support.builds import ROOT
from tests.support.committee import EXIT_DELAY, found
from tests.support.enclave import endorsed
from tests.support.enclave_http import REQUEST, HttpEnclave, http_network
from tests.support.opengradient import BlobServer, OpenGradient, Tee
from tests.support.replay_play import found as game_network
from tests.support.signing_endpoint import signing_endpoint
from tests.support.standins import Standin
from tests.support.story import HOUR, RULES, keep, register

DIGITS = ROOT / "src/tallystick/demo/digits"


def late(leaves: list[Inference]) -> list[Inference]:
    return [*leaves[:-1], replace(leaves[-1], deadline=leaves[-1].deadline + 10**6)]


def faulty(stage: Stage) -> None:
    batch = stage.network.commit(stage.chain.accounts[2], slot=1, shape=late)
    keep(stage.folder / "batches", batch)
    stage.names["BATCH"] = to_hex(batch.id)


def demanded(stage: Stage) -> None:
    stage.run("ape tallystick demand $BATCH --leaf 1")


def challenged(stage: Stage) -> None:
    stage.run("ape tallystick challenge $RECEIPTS --leaf 1")


def unanswered(stage: Stage) -> None:
    demanded(stage)
    stage.wait(RULES.response_window + 1)


def unruled(stage: Stage) -> None:
    challenged(stage)
    stage.wait(RULES.ruling_window + 1)


def over(stage: Stage) -> None:
    stage.wait(RULES.challenge_window)


def final(stage: Stage) -> None:
    over(stage)
    stage.run("ape tallystick finalize $BATCH")


def rejected(stage: Stage) -> None:
    challenged(stage)
    stage.run("ape tallystick resolve $BATCH --evidence $EVIDENCE")


def owner(stage: Stage) -> None:
    stage.account = 1


def keyed(stage: Stage) -> None:
    stage.run("ape tallystick key set $KEY")


def rich(stage: Stage) -> None:
    stage.run("ape tallystick stake deposit $NETWORK '1 ether'")


def finalized(stage: Stage) -> None:
    """A local chain calls its blocks finalized once 64 are on top of them."""
    mine(stage.chain.w3, 70)


def extracted(stage: Stage) -> None:
    over(stage)
    stage.run("ape tallystick finalize --all")
    stage.run("tallystick extract $REGISTRY --rpc $RPC --depth 0")


def collected(stage: Stage) -> None:
    extracted(stage)
    stage.run("tallystick collect batches")


def backed(stage: Stage) -> None:
    OperatorJournal(Path("node/journal.sqlite3"), b"n" * 32, b"o" * 20, b"here").close()


def restorable(stage: Stage) -> None:
    backed(stage)
    stage.run("tallystick backup node monday")


def endpoints(stage: Stage) -> None:
    entry = {name.lower(): stage.names[name] for name in ("OPERATOR",)}
    lines = [
        f"- chain_id: {stage.names['CHAIN']}",
        f'  core: "{stage.names["REGISTRY"]}"',
        f'  network_id: "{stage.names["NETWORK"]}"',
        f'  operator: "{entry["operator"]}"',
        "  url: http://127.0.0.1:1/",
    ]
    Path("endpoints.yaml").write_text("\n".join(lines) + "\n")


def probed(stage: Stage) -> None:
    extracted(stage)
    endpoints(stage)
    stage.run("tallystick probe endpoints.yaml --log probes.jsonl")


def pushed(stage: Stage) -> None:
    done = stage.json("tallystick model push digits.onnx --store models --spec spec.txt")
    stage.names["CONTENT"] = done["content_hash"]


def samples(stage: Stage) -> None:
    pixels = np.frombuffer(b"".join(floating.load_samples()[:200]), np.uint8)
    np.save("samples.npy", pixels.reshape(-1, 1, 8, 8).astype(np.float32) / 16)


def served(stage: Stage) -> None:
    """A network that lets an inference of the digits be demanded, and their spec."""
    chain = stage.chain
    network = register(chain, chain.accounts[1], RULES, 8, max_bytes=512)
    stage.names["NETWORK"] = to_hex(network.id)
    text = "tallystick ONNX-1\ncomparison tolerance\noutput 0 argmax 0.0001 0.0008\n"
    Path("spec.txt").write_text(text)


def replayable(stage: Stage) -> None:
    """A batch of right answers of the digits model, in a network whose arbiter is a Replay."""
    chain = stage.chain
    arbiter = bytes.fromhex(chain.deploy("Replay").address[2:])
    network = register(chain, chain.accounts[1], RULES, 5, arbiter=arbiter)
    network.join(chain.accounts[2])
    stage.names["NETWORK"] = to_hex(network.id)
    line = "ape tallystick model register $NETWORK --name digits --file digits.qi8"
    stage.names["MODEL"] = stage.json(line)["model_id"]
    model = quantized.load()
    samples = quantized.load_samples(model)[:6]
    rows = [
        {"input": to_hex(given), "output": to_hex(answer)}
        for given, answer in zip(samples, Engine(model).infer(samples), strict=True)
    ]
    Path("digits.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    line = "ape tallystick submit digits.jsonl --network-id $NETWORK --model-id $MODEL"
    stage.names["BATCH"] = stage.json(line)["batch_id"]


def in_game(stage: Stage) -> None:
    """A batch of the digits model, about which a challenger has opened a replay game with roots of
    another input."""
    chain, model = stage.chain, quantized.load()
    given, other = quantized.load_samples(model)[:2]
    people = (chain.accounts[number] for number in (1, 2, 6))
    table = game_network(chain, *people, model=model, data=given, salt=6)
    batch = table.commit(chain.accounts[2], GameTrace.of(model, given))
    keep(stage.folder / "batches", batch)
    stage.names["BATCH"] = to_hex(batch.id)
    table.challenge(batch, chain.accounts[6]).open(GameTrace.of(model, other))


def member(stage: Stage) -> None:
    """A committee of one, the account TEST::0, who audits a network and rules in it."""
    chain, stage.account = stage.chain, 0
    judges = found(chain, 1, 1, keys=chain.accounts[:1])
    audits = found(chain, 1, 1, keys=chain.accounts[:1], arbiter=judges.address)
    attestors = (audits.address, bytes(20), bytes(20))
    network = register(
        chain, chain.accounts[1], RULES, 6, arbiter=judges.address, attestors=attestors
    )
    operator = chain.accounts[5]
    network.join(operator)
    network.fund(chain.accounts[0])
    batch = network.commit(operator, count=8)
    keep(stage.folder / "batches", batch)
    chain.mine(4)
    stage.names |= {
        "COMMITTEE": checksummed(audits.address),
        "JUDGES": checksummed(judges.address),
        "NETWORK": to_hex(network.id),
        "BATCH": to_hex(batch.id),
    }
    outputs = [{"leaf": leaf, "output": to_hex(one)} for leaf, one in enumerate(batch.outputs)]
    Path("recomputed.jsonl").write_text("".join(json.dumps(one) + "\n" for one in outputs))
    Account.enable_unaudited_hdwallet_features()
    key = Account.from_mnemonic(MNEMONIC, account_path="m/44'/60'/0'/0/0").key
    Path("member.json").write_text(json.dumps(Account.encrypt(key, "member", iterations=2)))


def ruling(stage: Stage) -> None:
    member(stage)
    stage.run("ape tallystick challenge $BATCH --leaf 0")
    stage.names["COMMITTEE"] = stage.names["JUDGES"]


AUDIT = (
    "tallystick committee audit $COMMITTEE $BATCH --recomputed recomputed.jsonl --out audit.json "
    "--account member.json"
)


def signed(stage: Stage) -> None:
    member(stage)
    stage.run(AUDIT)


def convicted(stage: Stage) -> None:
    """An audit of a batch of which a drawn leaf was rejected."""
    signed(stage)
    drawn = stage.json("tallystick committee draw $COMMITTEE $BATCH")[0]["leaf"]
    stage.run(f"ape tallystick challenge $BATCH --leaf {drawn}")
    Path("recomputed.jsonl").write_text(json.dumps({"leaf": drawn, "output": "0x00"}))
    stage.run(
        "tallystick committee verdict $JUDGES $BATCH --recomputed recomputed.jsonl "
        "--out verdict.json --account member.json"
    )
    stage.run("tallystick committee merge verdict.json --out evidence.hex")
    stage.run("ape tallystick resolve $BATCH --evidence evidence.hex")


def burned(stage: Stage) -> None:
    convicted(stage)
    stage.run("ape tallystick committee convict audit.json")


def leaving(stage: Stage) -> None:
    member(stage)
    stage.run("ape tallystick committee exit $COMMITTEE")
    stage.wait(EXIT_DELAY + 1)


def settled(stage: Stage) -> Tee:
    """Items that an enclave signed, settled on a stand-in for OpenGradient; blobs in a folder."""
    og, tee = OpenGradient.deployed(stage.chain, BlobServer()), Tee()
    og.register(tee)
    og.settle(tee.items(range(3), stage.chain.now))
    Path("blobs").mkdir()
    for name, blob in og.blobs.blobs.items():
        (Path("blobs") / name).write_bytes(blob)
    stage.names |= {
        "RELAY": checksummed(og.relay_address),
        "TEE_REGISTRY": checksummed(og.registry_address),
    }
    return tee


def settled_and_finalized(stage: Stage) -> None:
    settled(stage)
    finalized(stage)


def audited(stage: Stage) -> Tee:
    tee = settled(stage)
    stage.run("tallystick opengradient extract $RELAY $TEE_REGISTRY --rpc $RPC --depth 0")
    return tee


def importable(stage: Stage) -> None:
    """A network whose attestor and arbiter know the enclave's key as the operator's."""
    tee, chain = audited(stage), stage.chain
    attestor = endorsed(chain, "OpenGradientItem", 2 * HOUR)
    places = (bytes(20), attestor.address, bytes(20))
    network = register(
        chain, chain.accounts[1], salt=21, attestors=places, arbiter=attestor.address
    )
    network.join(chain.accounts[2])
    attestor.endorse(tee.held, chain.accounts[2])
    stage.names |= {"NETWORK": to_hex(network.id), "MODEL": to_hex(network.model_id)}


def imported(stage: Stage) -> None:
    importable(stage)
    stage.run(
        "ape tallystick import opengradient --network-id $NETWORK --model-id $MODEL --blobs blobs"
    )
    (file,) = Path("receipts/imports").glob("*.items.jsonl")
    stage.names["ITEMS"] = str(file)


def answered_by_enclave(stage: Stage) -> None:
    """An answer in files, and a network whose attestor knows the key that signed it."""
    chain = stage.chain
    attestor, enclave = endorsed(chain, "EnclaveHttp", False), HttpEnclave()
    attestor.endorse(enclave.held, chain.accounts[2])
    network, _ = http_network(chain, attestor, chain.accounts[2], salt=22)
    keep_exchange(Path("."), SignedExchange(enclave.answer(), None))
    stage.names |= {"NETWORK": to_hex(network.id), "MODEL": to_hex(network.model_id)}


def kept_by_proxy(stage: Stage) -> None:
    """The same, in the folder of a proxy."""
    answered_by_enclave(stage)
    kept = KeptExchanges(Path("answers")).begin(REQUEST)
    for name in ("request.bin", "response.bin", "signature.json"):
        Path(name).replace(kept.folder / name)


def endpoint(stage: Stage) -> None:
    """An endpoint that signs, for as long as the example runs, and a request to it."""
    stage.names["ENDPOINT"] = stage.stack.enter_context(signing_endpoint()).url
    Path("request.json").write_bytes(REQUEST)


def foreign(stage: Stage) -> None:
    """A stand-in of another network, and the file that names it."""
    contract = Standin(stage.chain, "ZeroG")
    contract.send("acknowledge", bytes(20), bytes(20), True)
    lines = [
        "chains:",
        f"  {stage.names['CHAIN']}:",
        f'    rpc: ["{stage.url}"]',
        "    depth: 0",
        "networks:",
        "  0g:",
        "    places:",
        f'      - {{chain: {stage.names["CHAIN"]}, address: "{to_hex(contract.address)}"}}',
    ]
    Path("networks.yaml").write_text("\n".join(lines) + "\n")


def validator(stage: Stage) -> None:
    """The batch is final, and an agent's owner has asked the stage's account about another."""
    registry = Standin(stage.chain, "ValidationRegistry")
    me = checksummed(stage.chain.accounts[stage.account])
    stage.names |= {"VALIDATIONS": checksummed(registry.address), "VALIDATOR": me}
    attested = stage.network.commit(stage.chain.accounts[2], slot=1)
    reference = attested.batch.abi(), attested.stamp.pack()
    stage.chain.send(stage.chain.accounts[2], "attest", *reference, 1, (1).to_bytes(32, "big"))
    over(stage)
    stage.run("ape tallystick finalize --all")
    registry.send("validationRequest", me, 7, "", attested.id)


PREPARE: dict[str, Callable[[Stage], None]] = {
    "ape tallystick fault": faulty,
    "ape tallystick reveal": demanded,
    "ape tallystick defend": in_game,
    "ape tallystick resolve": challenged,
    "ape tallystick timeout": unanswered,
    "ape tallystick lapse": unruled,
    "ape tallystick finalize": over,
    "ape tallystick archive": final,
    "ape tallystick sweep": rejected,
    "ape tallystick network admit": owner,
    "ape tallystick network close": owner,
    "ape tallystick stake withdraw": rich,
    "ape tallystick key unset": keyed,
    "tallystick extract": finalized,
    "tallystick totals": extracted,
    "tallystick measures": extracted,
    "tallystick requesters": collected,
    "tallystick collect": extracted,
    "tallystick reconcile": extracted,
    "tallystick export": extracted,
    "tallystick backup": backed,
    "tallystick restore": restorable,
    "tallystick utility": probed,
    "tallystick probe": endpoints,
    "tallystick model pull": pushed,
    "ape tallystick model": served,
    "ape tallystick model register": served,
    "tallystick model import": samples,
    "tallystick model calibrate": samples,
    "tallystick replay": replayable,
    "tallystick committee": member,
    "tallystick committee show": member,
    "tallystick committee draw": member,
    "tallystick committee audit": member,
    "tallystick committee verdict": ruling,
    "tallystick committee merge": signed,
    "tallystick follow": foreign,
    "tallystick opengradient": audited,
    "tallystick opengradient extract": settled_and_finalized,
    "tallystick opengradient audit": audited,
    "tallystick opengradient evidence": imported,
    "ape tallystick import": importable,
    "ape tallystick import opengradient": importable,
    "tallystick enclave-http": answered_by_enclave,
    "tallystick enclave-http ask": endpoint,
    "tallystick enclave-http check": answered_by_enclave,
    "tallystick enclave-http evidence": answered_by_enclave,
    "ape tallystick validation": validator,
    "ape tallystick validation request": validator,
    "ape tallystick validation respond": validator,
    "ape tallystick enclave-http": answered_by_enclave,
    "ape tallystick enclave-http submit": answered_by_enclave,
    "ape tallystick enclave-http submit-kept": kept_by_proxy,
    "ape tallystick committee": member,
    "ape tallystick committee stake": member,
    "ape tallystick committee exit": member,
    "ape tallystick committee pay-out": leaving,
    "ape tallystick committee convict": convicted,
    "ape tallystick committee sweep": burned,
    **pool.PREPARE,
}
