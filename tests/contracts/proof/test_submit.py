"""Proven submissions while time goes on: one batch from prepared to sent."""

import json
from itertools import count
from pathlib import Path

from tallystick.actions.submission.proven import ProvenSubmitter
from tallystick.chain.deploy import create2_address, deployment
from tallystick.protocol.enums import Grade
from tallystick.protocol.hexes import to_hex
from tallystick.protocol.proof import Circuit
from tallystick.storage.batch_store import BatchStore
from tests.support.builds import bytecode
from tests.support.chain import Chain, ChainSender
from tests.support.proof import (
    INPUT,
    KEY_HASH,
    OUTPUT,
    answers,
    code_hash_at,
    proof_place,
    trivial_proof,
)


def test_simulate__a_second_after_prepare__is_of_the_same_batch(
    chain: Chain, operator: bytes, tmp_path: Path
) -> None:
    """The deadline that a new batch would get is a later one, and its leaves others."""
    creation = bytes.fromhex(bytecode("TrivialVerifier").removeprefix("0x"))
    chain.send_call(chain.accounts[0], deployment(creation))
    verifier = create2_address(creation)
    circuit = Circuit(code_hash_at(chain, verifier), KEY_HASH, INPUT, OUTPUT)
    place = proof_place(chain, operator, verifier, circuit)
    records = tmp_path / "records.jsonl"
    lines = [{"input": to_hex(input_), "output": to_hex(output)} for input_, output in answers(2)]
    records.write_text("".join(json.dumps(line) + "\n" for line in lines))
    clock = count(chain.now + 1)
    submitter = ProvenSubmitter(
        chain.registry,
        ChainSender(chain, operator),
        chain.ledger,
        lambda: next(clock),
        BatchStore(str(tmp_path / "batches")),
        tmp_path / "receipts",
        circuit,
        creation,
        lambda one: trivial_proof(circuit, one.input or b"", one.output or b""),
    )

    prepared = submitter.prepare(records, place.network.id, place.model.id())
    gas = submitter.simulate(prepared)
    sent = submitter.send(prepared)

    assert gas is not None and 0 < gas < 600_000
    assert sent.plan.batch == prepared.prepared.plan.batch
    assert chain.ledger().batches[sent.plan.batch.id()].grade is Grade.PROVEN
