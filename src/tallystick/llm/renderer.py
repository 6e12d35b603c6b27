"""Chat templates rendered in a process of their own, which may take 2 seconds and 1 GiB."""

import json
import os
import selectors
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from tallystick.child_environment import only
from tallystick.closing import Closing
from tallystick.errors import BodyRefusedError, ModelRefusedError, RunnerError
from tallystick.llm.messages import Message
from tallystick.llm.render_worker import CPU_SECONDS
from tallystick.llm.template import check_names, check_probe

_WAIT = 30.0
"""Seconds that a busy machine may take for two of a processor's."""
_PROBE = "Tallystick"


class Renderer(Closing):
    """A chat template, rendered by a process that is started when it is needed.

    Threads may share it. A process that ran out of time is replaced by the next call's.
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        """Keep a template; nothing is started yet. The arguments are those of `Template`."""
        self._first = {"source": source, "bos": bos, "eos": eos}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, as `Template.render`.

        Raises:
            BodyRefusedError: as there.
            ModelRefusedError: it is no template.
            RunnerError: it takes over 2 s of a processor, or over 1 GiB: nothing is said of the
                messages, for a faster machine might render them.
        """
        with self._lock:
            found = self._ask([[one.role, one.content] for one in messages])
        if "text" in found:
            return str(found["text"])
        reason = str(found["reason"])
        if found["kind"] == "messages":
            raise BodyRefusedError("messages", reason)
        if found["kind"] == "template":
            raise ModelRefusedError("chat_template", reason)
        raise RunnerError(reason)

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, messages: Any) -> Any:
        line = b""
        try:
            process = self._running()
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(messages).encode() + b"\n")
            process.stdin.flush()
            line = _line(process.stdout.fileno())
        except OSError:
            pass
        finally:
            # Whatever cut this short, a late answer must not be taken for the next one's.
            if not line.endswith(b"\n"):
                self._end()
        if not line.endswith(b"\n"):
            raise RunnerError(f"the chat template takes over {CPU_SECONDS} s, or ends its process")
        return json.loads(line)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            process = subprocess.Popen(
                [sys.executable, "-m", "tallystick.llm.render_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**only("PATH", "PYTHONPATH"), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            )
            self._process = process
            assert process.stdin is not None
            process.stdin.write(json.dumps(self._first).encode() + b"\n")
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()


def check_template(source: str, bos: str, eos: str) -> None:
    """Refuse a template that a model must not be registered with.

    Raises:
        ModelRefusedError: it names the clock or chance, refuses or leaves out a single message of
            a user (as templates for tools do), takes too long for it, or writes an address.
    """
    check_names(source)
    with Renderer(source, bos, eos) as renderer:
        try:
            text = renderer.render([Message("user", _PROBE)])
        except (BodyRefusedError, RunnerError) as error:
            raise ModelRefusedError("chat_template", f"of one message: {error}") from error
    check_probe(text, _PROBE)


def _line(descriptor: int) -> bytes:
    """Return what a process writes up to the end of a line, or before it ends or takes too long."""
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not found.endswith(b"\n") and selector.select(_WAIT):
            part = os.read(descriptor, 1 << 16)
            if not part:
                break
            found += part
    return bytes(found)
