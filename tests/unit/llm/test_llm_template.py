"""Chat templates: what is refused, and that no template takes the process along."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tallystick.errors import BodyRefusedError, ModelRefusedError, RunnerError
from tallystick.llm.messages import Message
from tallystick.llm.renderer import Renderer, check_template
from tallystick.llm.template import MOST_BYTES, Template

HI = [Message("user", "Hi")]
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDLESS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
    "{% endfor %}",
    "a power": "{% set n = 10 ** 9 %}{% set x = 10 ** n %}",
    "a macro that doubles": "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}"
    "{% endmacro %}{{ m(60) }}",
}
GREEDY = {
    "a product of texts": "{{ ('a' * 2000000000) | length }}",
    "a filter that pads": "{{ ('a' | center(2000000000)) | length }}",
    "a text that doubles": "{% set n = namespace(x='a') %}{% for i in range(60) %}"
    "{% set n.x = n.x ~ n.x %}{% endfor %}",
}
SANDBOXED = {
    "a class": "{{ ''.__class__ }}{{ ''.__class__.__mro__ }}",
    "a class, by filter": "{{ (''|attr('__class__')).__mro__ }}",
    "a class, by format": "{{ '{0.__class__.__mro__}'.format(1).x }}",
    "globals of a function": "{{ raise_exception.__globals__['os'] }}",
    "globals of a class": "{{ namespace.__init__.__globals__['sys'] }}",
    "subclasses": "{{ dict.mro()[1].__subclasses__() }}",
    "a file": "{% include '/etc/passwd' %}",
    "a template": "{% import 'os' as os %}{{ os.x.y }}",
    "a frame of a generator": "{{ (messages | map('upper')).gi_frame.f_globals.x }}",
    "a list that is changed": "{{ messages.append(1) }}",
    "a message that is changed": "{{ messages[0].update(role='system') }}",
    "too long a range": "{% for x in range(10000000) %}{% endfor %}",
    "an unknown name": "{{ joiner() }}",
    "a division by zero": "{{ 1 // 0 }}",
    "a macro without an end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a lone surrogate": r"{{ '\ud800' }}",
}


@pytest.fixture
def usual_depth() -> Iterator[None]:
    """Calls may be as deep as in a renderer's process, whatever libraries have set here."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.fixture
def renderers() -> Iterator[list[Renderer]]:
    found: list[Renderer] = []
    yield found
    for one in found:
        one.close()


@pytest.mark.parametrize("source", SANDBOXED.values(), ids=SANDBOXED.keys())
def test_render__what_the_sandbox_forbids__is_refused(source: str, usual_depth: None) -> None:
    with pytest.raises(BodyRefusedError) as caught:
        Template(source, "", "").render(HI)

    assert caught.value.param == "messages"
    assert "\n" not in str(caught.value)


def test_render__raise_exception__tells_the_templates_words() -> None:
    template = Template("{{ raise_exception('roles must\nalternate') }}", "", "")

    with pytest.raises(BodyRefusedError, match="refuses them: roles must alternate"):
        template.render(HI)


def test_render__as_many_bytes_as_allowed__is_the_text() -> None:
    content = "é" * (MOST_BYTES // 2)
    template = Template("{{ messages[0].content }}{{ messages[1].content }}", "", "")

    assert template.render([Message("user", content), Message("user", "")]) == content
    with pytest.raises(BodyRefusedError, match="over 1000000 bytes"):
        template.render([Message("user", content), Message("user", "x")])


def test_render__a_text_without_end__stops_at_the_limit() -> None:
    template = Template("{% for a in range(99999) %}{{ 'a' * 99999 }}{% endfor %}", "", "")

    with pytest.raises(BodyRefusedError, match="over 1000000 bytes"):
        template.render(HI)


def test_render__message_that_is_a_template__is_text() -> None:
    message = [Message("user", "{{ 7 * 7 }}{% raw %}<b>&amp;")]

    assert Template("{{ messages[0].content }}", "", "").render(message) == message[0].content


@pytest.mark.parametrize("source", ["{% for %}", "{{ x | nothing }}", "{{ x | random }}", "{{"])
def test_template__not_one__is_refused(source: str) -> None:
    with pytest.raises(ModelRefusedError, match="^chat_template: "):
        Template(source, "", "")


def test_renderer__conversation__is_the_templates_text(renderers: list[Renderer]) -> None:
    messages = [Message("system", "é\n"), Message("user", "Hi\x00 \u2028")]
    renderers.append(Renderer(CHATML, "<s>", "</s>"))

    for _ in range(2):
        assert renderers[0].render(messages) == Template(CHATML, "<s>", "</s>").render(messages)


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS.keys())
def test_renderer__endless_template__says_nothing_and_goes_on(
    source: str, renderers: list[Renderer]
) -> None:
    guarded = "{% if messages[0].content == 'go' %}" + source + "{% endif %}done"
    renderers.append(Renderer(guarded, "", ""))
    begun = time.monotonic()

    with pytest.raises(RunnerError, match="takes over 2 s"):
        renderers[0].render([Message("user", "go")])

    assert time.monotonic() - begun < 29
    assert renderers[0].render(HI) == "done"


@pytest.mark.parametrize("source", GREEDY.values(), ids=GREEDY.keys())
def test_renderer__greedy_template__says_nothing_and_goes_on(
    source: str, renderers: list[Renderer]
) -> None:
    guarded = "{% if messages[0].content == 'go' %}" + source + "{% endif %}done"
    renderers.append(Renderer(guarded, "", ""))

    with pytest.raises(RunnerError):
        renderers[0].render([Message("user", "go")])

    assert renderers[0].render(HI) == "done"


def test_renderer__refusals__are_those_of_the_template(renderers: list[Renderer]) -> None:
    renderers += [Renderer("{{ raise_exception('no') }}", "", ""), Renderer("{% for %}", "", "")]

    with pytest.raises(BodyRefusedError, match="refuses them: no"):
        renderers[0].render(HI)
    with pytest.raises(ModelRefusedError):
        renderers[1].render(HI)


def test_renderer__interrupted__gives_no_answer_to_another_question(
    renderers: list[Renderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    renderers.append(Renderer("{{ messages[0].content }}", "", ""))
    renderers[0].render(HI)

    def interrupted(_: int) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("tallystick.llm.renderer._line", interrupted)
        renderers[0].render([Message("user", "first")])

    assert renderers[0].render([Message("user", "second")]) == "second"


def test_renderer__many_threads__each_get_their_own(renderers: list[Renderer]) -> None:
    renderers.append(Renderer("{{ messages[0].content }}", "", ""))
    said = [str(number) for number in range(40)]

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda one: renderers[0].render([Message("user", one)]), said))

    assert texts == said


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_renderer__its_process__sees_no_keys(
    renderers: list[Renderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "k")
    renderers.append(Renderer("x", "", ""))
    renderers[0].render(HI)
    process = renderers[0]._process
    assert process is not None

    found = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"SECRET_KEY" not in found
    assert b"PYTHONHASHSEED=0" in found


def test_check_template__chatml__is_taken() -> None:
    check_template(CHATML, "<s>", "</s>")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            CHATML + "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% endif %}",
            "strftime_now",
        ),
        (CHATML + "{% if false %}{{ lipsum() }}{% endif %}", "lipsum"),
        (CHATML + "{% if false %}{{ messages | random }}{% endif %}", "random"),
        (CHATML + "{{ random }}", "random"),
        ("{{ raise_exception('tools are needed') }}", "tools are needed"),
        ("{% for tool in tools %}{{ tool.name }}{% endfor %}", "leaves a user's message out"),
        (CHATML + "{{ raise_exception }}", "an address in memory"),
        (CHATML + "{{ messages | map('upper') }}", "an address in memory"),
        (CHATML + ENDLESS["nested loops"], "takes over 2 s"),
        ("{% for %}", "chat_template"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "chat_template"),
    ],
)
def test_check_template__nobody_could_render_it_again__is_refused(source: str, reason: str) -> None:
    with pytest.raises(ModelRefusedError, match=reason) as caught:
        check_template(source, "", "")

    assert "\n" not in str(caught.value)
