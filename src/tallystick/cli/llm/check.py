"""tallystick llm check: a kept answer, offline, against the chain, and against its model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.chain import json_option, more_rpc_option, reading
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.output import show
from tallystick.cli.params import FILE
from tallystick.cli.session import Session

if TYPE_CHECKING:
    from tallystick.client.llm.kept import KeptAnswer


@click.command(cls=ConsoleCommand, example="tallystick llm check answers/$ANSWER.json --rpc $RPC")
@click.argument("file", metavar="RECEIPT", type=FILE)
@click.option("--rpc", "rpcs", multiple=True, metavar="URL", help="Node to ask about the batch.")
@click.option("--network", metavar="ECOSYSTEM:NETWORK", help="The same, as Ape names the chain.")
@more_rpc_option
@click.option("--model", type=FILE, help="GGUF: execute the answer again. Needs --spec.")
@click.option("--spec", type=FILE, help="The model's registered spec.")
@json_option
def check(
    file: Path,
    rpcs: tuple[str, ...],
    network: str | None,
    more_rpcs: tuple[str, ...],
    model: Path | None,
    spec: Path | None,
    as_json: bool,
) -> None:
    """Check a kept answer: body, signatures, text, output, and its receipt if it has one.

    With --rpc, the chain is asked: whether it has the batch, what became of it, and whether the
    signer spoke for the operator. With --model and --spec, one forward pass tells whether the
    tokens are the model's: M and X say how far they are from it, in logits.
    """
    from tallystick.client.llm.kept import KeptAnswer

    if (model is None) != (spec is None):
        raise click.UsageError("--model and --spec need each other")
    kept = KeptAnswer.read(file)
    kept.check()
    receipt = kept.receipt
    facts: dict[str, Any] = {
        "id": kept.id,
        "model_id": kept.request.model_id,
        "operator": kept.request.operator,
        "signed_by": kept.key,
        "tokens": len(kept.answer.output.tokens),
        "finish": kept.answer.output.finish.name.lower(),
        "batch_id": None if receipt is None else receipt.batch_id,
    }
    if rpcs or network:
        with reading(rpcs, network) as w3:
            session = Session(w3, kept.domain.contract, more_rpcs=(*rpcs[1:], *more_rpcs))
            facts |= _on_chain(session, kept)
    if model is None or spec is None:
        show(facts, as_json)
        return
    from tallystick.cli.llm.execution import execute

    found = execute(kept, model, spec)
    show(facts | found, as_json)
    if found["verdict"] == "wrong":
        raise CommandError(f"the answer is wrong: {found['reason']}")


def _on_chain(session: Session, kept: "KeptAnswer") -> dict[str, Any]:
    from tallystick.chain.receipt_status import receipt_status
    from tallystick.errors import AnswerError, ReceiptError, SignatureError

    network, operator = kept.network_id, kept.request.operator
    if session.w3.eth.chain_id != kept.domain.chain_id:
        raise CommandError(
            f"the answer is of chain {kept.domain.chain_id}; this is {session.w3.eth.chain_id}"
        )
    try:
        kept.word.judge(session.ledger(network_id=network, operator=operator), kept.block)
    except SignatureError as error:
        raise AnswerError(f"signature: {error}") from error
    if kept.receipt is None:
        return {"state": None}
    try:
        status = receipt_status(
            session.registry,
            lambda: session.ledger(network_id=network, operator=operator),
            kept.receipt,
        )
    except ReceiptError as error:
        raise AnswerError(f"receipt: {error}") from error
    return {
        "state": status.state.name.lower(),
        "grade": status.grade.name.lower(),
        "outcome": status.outcome.name.lower(),
    }
