"""Bodies with the fields, or the refused parameter, that a reader of the text expects."""

from typing import Any

_P = '"prompt":"x"'
_M = '"messages":[{"role":"user","content":"x"}]'

_FIELDS: list[tuple[str, str, dict[str, Any]]] = [
    ("a prompt", f"{{{_P}}}", {}),
    ("white space", ' \t\r\n{ "prompt" : "x" }\n ', {}),
    (
        "every field absent by null",
        '{"prompt":"x","messages":null,"stop":null,"n":null,"huh":null}',
        {},
    ),
    ("a model, without effect", f'{{"model":"gpt-4o",{_P}}}', {}),
    ("max_tokens", f'{{{_P},"max_tokens":5}}', {"maxTokens": 5}),
    ("max_completion_tokens", f'{{{_P},"max_completion_tokens":7}}', {"maxTokens": 7}),
    ("one limit null", f'{{{_P},"max_tokens":null,"max_completion_tokens":7}}', {"maxTokens": 7}),
    ("temperature of a float of 32 bits", f'{{{_P},"temperature":0.800000011920929}}', {"t": 800}),
    ("temperature with an exponent", f'{{{_P},"temperature":1e-1}}', {"t": 100}),
    ("temperature with a capital exponent", f'{{{_P},"temperature":2E+0}}', {"t": 2000}),
    ("temperature 0", f'{{{_P},"temperature":0}}', {"t": 0}),
    ("temperature -0.0", f'{{{_P},"temperature":-0.0}}', {"t": 0}),
    ("temperature at a half", f'{{{_P},"temperature":0.0005}}', {"t": 1}),
    (
        "temperature below a half",
        f'{{{_P},"temperature":0.000499999999999999999999999999}}',
        {"t": 0},
    ),
    (
        "temperature of 32 characters",
        f'{{{_P},"temperature":1.999500000000000000000000000000}}',
        {"t": 2000},
    ),
    ("min_p 0 is 1", f'{{{_P},"min_p":0}}', {"p": 1}),
    ("min_p below a half is 1", f'{{{_P},"min_p":0.0001}}', {"p": 1}),
    ("min_p", f'{{{_P},"min_p":0.05}}', {"p": 50}),
    ("min_p 1", f'{{{_P},"min_p":1.0}}', {"p": 1000}),
    ("a stop", f'{{{_P},"stop":"\\n"}}', {"stops": ["0a"]}),
    ("four stops", f'{{{_P},"stop":["a","b","c","é"]}}', {"stops": ["61", "62", "63", "c3a9"]}),
    ("a stop of 64 bytes", f'{{{_P},"stop":"{"é" * 32}"}}', {"stops": ["c3a9" * 32]}),
    ("stream", f'{{{_P},"stream":true}}', {"stream": True}),
    (
        "stream with usage",
        f'{{{_P},"stream":true,"stream_options":{{"include_usage":true}}}}',
        {"stream": True, "usage": True},
    ),
    ("an escaped pair of surrogates", '{"prompt":"\\ud83d\\ude00"}', {"prompt": "😀"}),
    ("escapes in a name", '{"pro\\u006dpt":"x"}', {}),
    ("a message", f"{{{_M}}}", {"messages": [["user", "x"]]}),
    (
        "roles",
        '{"messages":[{"role":"developer","content":"a"},{"role":"system","content":"b"},'
        '{"role":"assistant","content":"c"},{"role":"user","content":""}]}',
        {"messages": [["system", "a"], ["system", "b"], ["assistant", "c"], ["user", ""]]},
    ),
    (
        "parts",
        '{"messages":[{"role":"user","content":[{"type":"text","text":"a"},'
        '{"type":"text","text":"b","cache_control":null}]}]}',
        {"messages": [["user", "a\nb"]]},
    ),
    (
        "null, false and empty others of a message",
        '{"messages":[{"role":"user","content":"x","name":null,"refusal":false,"tool_calls":[],'
        '"audio":{},"function_call":""}]}',
        {"messages": [["user", "x"]]},
    ),
    ("8 deep", f'{{{_P},"metadata":{"[" * 7}{"]" * 7}}}', {}),
    ("brackets in a text are not deep", f'{{"prompt":"{"[" * 20}"}}', {"prompt": "[" * 20}),
    ("an exponent of 9", f'{{{_P},"seed":1e9}}', {}),
]

_NEUTRAL: dict[str, list[str]] = {
    "n": ["1", "1.0", "10e-1"],
    "best_of": ["1"],
    "top_p": ["1", "1.0"],
    "repetition_penalty": ["1.0"],
    "top_k": ["0", "-1", "-1.0"],
    "presence_penalty": ["0", "-0.0"],
    "frequency_penalty": ["0.0"],
    "logprobs": ["false"],
    "echo": ["false"],
    "logit_bias": ["{}"],
    "tools": ["[]"],
    "functions": ["[]"],
    "tool_choice": ['"none"', '"auto"'],
    "response_format": ['{"type":"text"}', '{"type":"text","json_schema":null}'],
    "modalities": ['["text"]'],
    "seed": ["7", '"x"', "null"],
    "user": ['"me"'],
    "metadata": ['{"a":"b"}'],
    "store": ["true"],
    "service_tier": ['"auto"'],
    "parallel_tool_calls": ["true"],
    "safety_identifier": ['"x"'],
    "prompt_cache_key": ['"x"'],
}

_EFFECTIVE: dict[str, list[str]] = {
    "n": ["2", "true", '"1"'],
    "best_of": ["2"],
    "top_p": ["0.9"],
    "repetition_penalty": ["1.1"],
    "top_k": ["40", "1"],
    "presence_penalty": ["0.5"],
    "frequency_penalty": ["-0.1"],
    "logprobs": ["true", "0"],
    "echo": ["true"],
    "logit_bias": ['{"5":1}', "[]"],
    "tools": ["[{}]", "{}"],
    "functions": ["[{}]"],
    "tool_choice": ['"required"'],
    "response_format": ['{"type":"json_object"}', '{"type":"text","strict":true}'],
    "modalities": ['["text","audio"]'],
    "top_logprobs": ["1"],
    "suffix": ['"x"'],
    "max_tokens": ["0", "-1", "1.0", "1e2", '"5"', "true"],
    "max_completion_tokens": ["0"],
    "temperature": ["2.0001", "-0.1", '"1"', "true"],
    "min_p": ["1.1", "-0.0001", "[]"],
    "stop": ['""', "[]", '["a","b","c","d","e"]', f'"{"a" * 65}"', "[1]", f'"{"é" * 33}"'],
    "stream": ["1", '"true"'],
    "stream_options": ["true"],
    "model": ["5"],
}

_REFUSED: list[tuple[str, str, str | None]] = [
    ("nothing to answer", "{}", "messages"),
    ("nothing to answer but nulls", '{"prompt":null}', "messages"),
    ("messages and prompt", f"{{{_M},{_P}}}", "prompt"),
    ("both limits", f'{{{_P},"max_tokens":5,"max_completion_tokens":5}}', "max_completion_tokens"),
    ("a list of prompts", '{"prompt":["x"]}', "prompt"),
    ("an unknown field", f'{{{_P},"grammar":"x"}}', "grammar"),
    ("an unknown field that is false", f'{{{_P},"grammar":false}}', "grammar"),
    ("the first of two", f'{{"b":1,"a":1,{_P}}}', "b"),
    ("an option of streams", f'{{{_P},"stream_options":{{"x":1}}}}', "stream_options.x"),
    ("no messages", '{"messages":[]}', "messages"),
    ("a text as messages", '{"messages":"x"}', "messages"),
    ("a message that is a text", '{"messages":["x"]}', "messages[0]"),
    ("a tool's message", '{"messages":[{"role":"tool","content":"x"}]}', "messages[0].role"),
    ("a message without a role", '{"messages":[{"content":"x"}]}', "messages[0].role"),
    ("a message without content", '{"messages":[{"role":"user"}]}', "messages[0].content"),
    (
        "a message whose content is null",
        '{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null}]}',
        "messages[1].content",
    ),
    ("a name", '{"messages":[{"role":"user","content":"x","name":"me"}]}', "messages[0].name"),
    ("a zero", '{"messages":[{"role":"user","content":"x","weight":0}]}', "messages[0].weight"),
    ("no parts", '{"messages":[{"role":"user","content":[]}]}', "messages[0].content"),
    (
        "a picture",
        '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}',
        "messages[0].content[0].type",
    ),
    (
        "a part without text",
        '{"messages":[{"role":"user","content":[{"type":"text"}]}]}',
        "messages[0].content[0].text",
    ),
    (
        "a part with more",
        '{"messages":[{"role":"user","content":[{"type":"text","text":"x","more":false}]}]}',
        "messages[0].content[0].more",
    ),
    ("a name twice", f'{{{_P},"n":1,"n":1}}', "n"),
    ("a name twice, once escaped", f'{{{_P},"n":1,"\\u006e":1}}', "n"),
    ("a name twice, deeper", f'{{{_P},"metadata":{{"a":1,"a":1}}}}', "a"),
    ("a lone surrogate", '{"prompt":"\\ud800"}', "prompt"),
    ("surrogates the wrong way round", '{"prompt":"\\udc00\\ud800"}', "prompt"),
    ("a lone surrogate deeper", f'{{{_P},"metadata":[{{"\\ud800":1}}]}}', "metadata"),
    ("9 deep", f'{{{_P},"metadata":{"[" * 8}{"]" * 8}}}', None),
    ("NaN", f'{{{_P},"temperature":NaN}}', None),
    ("an infinity", f'{{{_P},"temperature":-Infinity}}', None),
    ("a number of 33 characters", f'{{{_P},"seed":{"1" * 33}}}', None),
    ("an exponent of 10", f'{{{_P},"seed":1e10}}', None),
    ("an exponent of -10", f'{{{_P},"seed":1e-10}}', None),
    ("an exponent of 010", f'{{{_P},"seed":1e010}}', None),
    ("a leading zero", f'{{{_P},"seed":01}}', None),
    ("a leading plus", f'{{{_P},"seed":+1}}', None),
    ("a point without digits", f'{{{_P},"seed":1.}}', None),
    ("digits of another script", f'{{{_P},"seed":१}}', None),
    ("a list", "[]", None),
    ("a text", '"x"', None),
    ("nothing", "", None),
    ("two objects", f"{{{_P}}}{{{_P}}}", None),
    ("a comma at the end", f"{{{_P},}}", None),
    ("a comment", f"{{{_P}/**/}}", None),
    ("a line feed in a text", '{"prompt":"a\nb"}', None),
    ("single quotes", "{'prompt':'x'}", None),
    ("a text that does not end", '{"prompt":"\\"', None),
]

_BYTES: list[tuple[str, bytes]] = [
    ("a byte order mark", b'\xef\xbb\xbf{"prompt":"x"}'),
    ("UTF-16", '{"prompt":"x"}'.encode("utf-16")),
    ("a byte that is not UTF-8", b'{"prompt":"\xff"}'),
    ("a surrogate in UTF-8", b'{"prompt":"\xed\xa0\x80"}'),
    ("an overlong slash", b'{"prompt":"\xc0\xaf"}'),
]

_DEFAULTS = {
    "messages": None,
    "prompt": "x",
    "maxTokens": None,
    "t": 1000,
    "p": 1,
    "stops": [],
    "stream": False,
    "usage": False,
}


def vectors() -> list[dict[str, Any]]:
    """Return bodies in hex, each with its fields, or with the parameter that is refused."""
    fields = [
        *_FIELDS,
        *(
            (f"{name} {value}, neutral", f'{{{_P},"{name}":{value}}}', {})
            for name, values in _NEUTRAL.items()
            for value in values
        ),
    ]
    refused = [
        *_REFUSED,
        *(
            (f"{name} {value}", f'{{{_P},"{name}":{value}}}', name)
            for name, values in _EFFECTIVE.items()
            for value in values
        ),
    ]
    found: list[dict[str, Any]] = []
    for name, text, expected in fields:
        prompt = {"prompt": None} if "messages" in expected else {}
        found.append({"name": name, "body": text, "fields": {**_DEFAULTS, **prompt, **expected}})
    found += [{"name": name, "body": text, "refused": param} for name, text, param in refused]
    found += [{"name": name, "bodyHex": data.hex(), "refused": None} for name, data in _BYTES]
    return found
