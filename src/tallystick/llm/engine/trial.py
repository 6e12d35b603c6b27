"""Process that loads and runs a model, lest llama.cpp end the one that wants it.

    python -m tallystick.llm.engine.trial PACKAGE FOLDER KERNEL FILE [tokens]

With "tokens" its vocabulary alone is loaded.

Exits with 0, or with 1 and one line about the file.
"""

import sys
from pathlib import Path

from tallystick.errors import ModelRefusedError, TallystickError
from tallystick.llm.engine.context import Ask, Context
from tallystick.llm.engine.library import Library
from tallystick.llm.engine.model import Model
from tallystick.llm.engine.release import PINNED, SECOND, Kernel


def main() -> None:
    """Load the file and ask for the logits after one id."""
    package, folder, kernel, path, *tokens = sys.argv[1:]
    release = next(one for one in (PINNED, SECOND) if one.package == package)
    try:
        library = Library.open(Kernel(kernel), Path(folder), release)
        tokens_only = bool(tokens)
        with Model.open(library, Path(path), trial_s=None, tokens_only=tokens_only) as model:
            if tokens_only:
                return
            with Context(model, ids=256, slots=1) as context:
                context.decode([Ask(id=0, position=0, slot=0, wanted=True)])
    except ModelRefusedError as error:
        raise SystemExit(_told(error.reason, 1)) from None
    except TallystickError as error:
        raise SystemExit(_told(str(error), 2)) from None


def _told(line: str, code: int) -> int:
    print(line)
    return code


if __name__ == "__main__":
    main()
