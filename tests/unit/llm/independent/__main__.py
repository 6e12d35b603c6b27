"""Write LLM-1's golden vectors anew, by other means than the library's.

    python -m tests.unit.llm.independent

mpmath computes the noise, a Keccak of its own the hashes, fractions the tokens and margins, a table
of UTF-8 the texts, eth-account the signatures; bodies, prompts and specs are as a reader of
docs/llm.md expects them.
"""

import json
from pathlib import Path
from typing import Any

from tests.unit.llm.independent import answers, bodies, gumbel, prompts, requests, specs, tokens
from tests.unit.llm.independent import verdicts as judged

FOLDER = Path(__file__).parents[1] / "vectors"


def vectors() -> dict[str, Any]:
    """Return the content of each file by its name."""
    answered = answers.vectors()
    return {
        "bodies": bodies.vectors(),
        "prompts": prompts.vectors(),
        "noise": gumbel.vectors(),
        "tokens": tokens.vectors(),
        "answers": answered,
        "verdicts": judged.vectors(),
        "specs": specs.vectors(),
        "requests": requests.vectors(answered["hi"]),
    }


def written(content: Any) -> str:
    """Return a file's text in ASCII, each vector on a line of its own."""
    if isinstance(content, dict):
        lines = [f"{json.dumps(key)}: {_listed(value)}" for key, value in content.items()]
        return "{\n" + ",\n".join(lines) + "\n}\n"
    return _listed(content) + "\n"


def _listed(value: Any) -> str:
    if isinstance(value, list) and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in vectors().items():
        (FOLDER / f"{name}.json").write_text(written(content))
