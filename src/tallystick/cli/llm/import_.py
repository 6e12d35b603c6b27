"""tallystick llm import: a language model in integers, of a GGUF file."""

from pathlib import Path
from typing import Any

import click

from tallystick.cli.bars import bar
from tallystick.cli.chain import json_option
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.output import show
from tallystick.cli.params import FILE


@click.command(
    "import",
    cls=ConsoleCommand,
    example="tallystick llm import model.gguf model.i8.gguf --context 2048",
)
@click.argument("source", type=FILE)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--context", type=click.IntRange(2), help="Positions; else as it was trained on.")
@click.option("--text", type=FILE, help="A text, to say how well each of both models foretells it.")
@click.option(
    "--ids",
    type=click.IntRange(2),
    default=2000,
    show_default=True,
    help="Most tokens of the text that are read.",
)
@json_option
def import_llm(
    source: Path,
    target: Path,
    context: int | None,
    text: Path | None,
    ids: int,
    as_json: bool,
) -> None:
    """Make a model of LLM-I8 of SOURCE, a GGUF file of the llama architecture.

    Its answers are equal on all machines, so verifiers compare token by token without a tolerance.
    Weights are rounded to 8 bits a row: it is another model than SOURCE, under another hash. With
    --text it says the perplexity of both, SOURCE run by llama.cpp. Needs no chain.
    """
    from tallystick.llm.integer.file import write_model
    from tallystick.llm.integer.importer import import_gguf
    from tallystick.storage.models.content import content_hash

    if target.exists() and target.samefile(source):
        raise CommandError(f"{target} is the source itself; name another file")
    model = import_gguf(source, context)
    write_model(model, target, source)
    shape = model.shape
    facts: dict[str, Any] = {
        "model": str(target),
        "content_hash": content_hash(target),
        "layers": shape.layers,
        "tokens": shape.vocabulary,
        "context": shape.context,
        "bytes": target.stat().st_size,
    }
    if text is not None:
        facts |= _perplexities(source, target, text, min(ids, shape.context))
    show(facts, as_json)


def _perplexities(source: Path, target: Path, text: Path, most: int) -> dict[str, Any]:
    """Return the perplexity of both models on a text's first tokens."""
    from tallystick.llm.engine.batching import Batching
    from tallystick.llm.engine.context import Context
    from tallystick.llm.engine.library import Library
    from tallystick.llm.engine.model import Model
    from tallystick.llm.engine.release import Kernel
    from tallystick.llm.integer.opening import IntegerEngine
    from tallystick.llm.perplexity import perplexity

    library = Library.open(Kernel.AVX2)
    with Model.open(library, source) as model:
        ids = list(model.vocabulary.tokenize(text.read_text(encoding="utf-8")))[:most]
        floats = Batching(Context(model, most, slots=1))
        with bar("perplexity of the source") as progress:
            try:
                before = perplexity(floats, ids, progress)
            finally:
                floats.close()
    integers = IntegerEngine(library, target, most, slots=1)
    with bar("perplexity in integers") as progress:
        try:
            after = perplexity(integers, ids, progress)
        finally:
            integers.close()
    return {"text_tokens": len(ids), "perplexity_of_source": before, "perplexity": after}
