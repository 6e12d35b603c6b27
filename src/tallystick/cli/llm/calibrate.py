"""tallystick llm calibrate: thresholds of a language model's tolerance, measured."""

import itertools
from pathlib import Path
from typing import Any

import click

from tallystick.cli.bars import bar
from tallystick.cli.chain import json_option
from tallystick.cli.command import CommandError, ConsoleCommand
from tallystick.cli.output import show
from tallystick.cli.params import FILE

_FEW = 200
"""Answers below which a proposal is not one to be registered."""
_RULE_OF_THREE = 3
"""Of n answers none was wrong: then at most 3 / n are, 19 times of 20."""


@click.command(
    cls=ConsoleCommand,
    example="tallystick llm calibrate model.gguf --spec spec.txt --prompts prompts.txt",
)
@click.argument("file", type=FILE)
@click.option("--spec", type=FILE, required=True, help="A spec of LLM-1 with a tolerance.")
@click.option(
    "--prompts",
    "asked",
    type=FILE,
    required=True,
    help="A prompt a line: text, or JSON with messages or prompt, and language.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the proposed spec goes; else beside FILE. What was measured is in OUTPUT.jsonl.",
)
@click.option(
    "--temperature",
    "temperatures",
    multiple=True,
    type=click.FloatRange(0, 2),
    default=(0.8,),
    show_default=True,
    help="Repeatable.",
)
@click.option(
    "--min-p",
    "floors",
    multiple=True,
    type=click.FloatRange(0, 1),
    default=(0.0,),
    show_default=True,
    help="Repeatable.",
)
@click.option(
    "--answer",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Most tokens of an answer.",
)
@click.option(
    "--answering",
    type=click.Choice(["avx2", "avx512"]),
    default="avx2",
    show_default=True,
    help="Kernels of the operator; the verifier's are the other ones.",
)
@click.option("--cheaper", type=FILE, help="A cheaper model's file: how many of it are found.")
@json_option
def calibrate(
    file: Path,
    spec: Path,
    asked: Path,
    output: Path | None,
    temperatures: tuple[float, ...],
    floors: tuple[float, ...],
    answer: int,
    answering: str,
    cheaper: Path | None,
    as_json: bool,
) -> None:
    """Have FILE answer prompts under one class of kernels, and measure under another.

    Proposes thresholds, with the counts that they rest on: they say nothing of other models,
    processors, languages, temperatures or contexts than were tried. Cut off, it goes on when run
    again. Needs no chain.
    """
    from tallystick.llm.calibration import Calibration, KeptTries, propose, read_prompts, tables
    from tallystick.llm.engine.release import Kernel
    from tallystick.llm.measuring_process import MeasuringProcess, Runtime
    from tallystick.llm.opening import open_model
    from tallystick.llm.spec import Spec
    from tallystick.llm.verdicts import Thresholds
    from tallystick.storage.durable import replace_file
    from tallystick.storage.models.content import content_hash

    given = Spec.parse(spec.read_bytes().decode())
    if not isinstance(given.comparison, Thresholds):
        raise CommandError(f"{spec} is {given.kind}; needed: a spec with a tolerance")
    operator = Kernel(answering)
    verifier = next(one for one in Kernel if one is not operator)
    prompts = read_prompts(asked)
    output = output or file.with_name(f"{file.name}.tolerance.txt")
    kept = KeptTries(
        output.with_name(f"{output.name}.jsonl"),
        {
            "content_hash": content_hash(file).hex(),
            "cheaper": content_hash(cheaper).hex() if cheaper else None,
            "prompts": content_hash(asked).hex(),
            "answering": operator.value,
            "measuring": verifier.value,
            "context": given.context,
            "answer": answer,
        },
    )
    files = [file, *([cheaper] if cheaper else [])]
    todo = list(itertools.product(range(len(prompts)), temperatures, floors))
    with (
        MeasuringProcess(file, given.context, Runtime(verifier)) as measuring,
        bar("calibrate (answers)") as progress,
    ):
        calibration, done = Calibration(measuring, answer), 0
        for one in files:
            missing = [key for key in todo if (one.name, *key) not in kept.tried]
            done += len(todo) - len(missing)
            if not missing:
                continue
            with open_model(one, given, kernel=operator, slots=1) as model:
                for key in missing:
                    progress(done, len(todo) * len(files))
                    kept.add(calibration.try_one(one.name, model, prompts, *key))
                    done += 1
    tried = [kept.tried[one.name, *key] for one in files for key in todo]
    honest = [one for one in tried if one.who == file.name]
    proposed = Spec(given.context, given.tokens, propose(honest))
    replace_file(output, proposed.text().encode())
    rows = list(tables(tried, given.comparison))
    facts: dict[str, Any] = {
        "spec": str(output),
        "spec_hash": proposed.spec_hash(),
        "lines": proposed.text().splitlines(),
        "answers": len(honest),
        "answering": operator.value,
        "measuring": verifier.value,
        "few": len(honest) < _FEW and f"fewer than {_FEW} answers: thresholds for a trial only",
        "wrong": rows[0]["wrong"],
        "wrong_at_most": "unknown" if rows[0]["wrong"] else f"{_RULE_OF_THREE / len(honest):.1%}",
    }
    if as_json:
        show({**facts, "measured": rows}, True)
        return
    show(facts, False)
    show([_line(row) for row in rows], False)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "answered by": row["answered_by"],
        "of": row["of"],
        "answers": row["answers"],
        "not the rule's": f"{row['mismatches']} of {row['tokens']}",
        "M": f"{row['M']:.4f}",
        "X": f"{row['X']:.3f}",
        "verdicts": f"{row['good']} good, {row['doubtful']} doubtful, {row['wrong']} wrong",
    }
