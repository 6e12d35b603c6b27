"""The process that `tallystick.llm.renderer` starts: a line in, a line out.

The first line is the template; each further one is the messages of a conversation. The system's
timer ends the process where a conversation takes too long: nothing in Python could interrupt a
multiplication of texts.
"""

import contextlib
import json
import resource
import signal
import sys
from typing import IO, Any

from tallystick.errors import BodyRefusedError, ModelRefusedError, RunnerError
from tallystick.llm.messages import Message
from tallystick.llm.template import Template

CPU_SECONDS = 2
_MEMORY = 1 << 30


def serve(source: IO[str], target: IO[str]) -> None:
    """Answer each line of messages until there are no more."""
    first = json.loads(source.readline())
    template: Template | None = None
    for line in source:
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        try:
            template = template or Template(**first)
            found = {"text": template.render([Message(*one) for one in json.loads(line)])}
        except BodyRefusedError as error:
            found = _refusal("messages", error.reason)
        except ModelRefusedError as error:
            found = _refusal("template", error.reason)
        except (RunnerError, MemoryError):
            found = _refusal("runner", "the chat template needs more than 1 GiB")
        signal.setitimer(signal.ITIMER_PROF, 0)
        target.write(json.dumps(found) + "\n")
        target.flush()


def _refusal(kind: str, reason: str) -> dict[str, Any]:
    return {"kind": kind, "reason": reason}


def _main() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # Some systems have no such limit; the timer's holds everywhere.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    serve(sys.stdin, sys.stdout)


if __name__ == "__main__":
    _main()
