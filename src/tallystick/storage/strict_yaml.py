"""YAML without its traps: a value is what it looks like, or an error that says how to write it."""

import re
from typing import Any

import yaml  # type: ignore[import-untyped]

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_BOOL = re.compile(r"true|false|True|False|TRUE|FALSE")
_OTHER_BOOL = re.compile(r"(?:yes|no|on|off)", re.IGNORECASE)
_HEX = re.compile(r"[-+]?0[xX][0-9a-fA-F_]+")
_ZERO_FIRST = re.compile(r"[-+]?0[0-9_]+")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
_INT_TAG, _BOOL_TAG = "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool"
_FLOAT_TAG, _STR_TAG = "tag:yaml.org,2002:float", "tag:yaml.org,2002:str"
_MAP_TAG, _MERGE_TAG = "tag:yaml.org,2002:map", "tag:yaml.org,2002:merge"
_DROPPED = {_INT_TAG, _BOOL_TAG, "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}


class StrictYamlError(yaml.MarkedYAMLError):  # type: ignore[misc]
    """A value that YAML takes for another than it looks like; `problem` says how to write it."""

    def __init__(self, problem: str, node: Any) -> None:
        super().__init__(problem=problem, problem_mark=node.start_mark)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Knows decimal numbers and true and false; of everything else it is told what was meant."""

    yaml_implicit_resolvers = {
        first: [(tag, words) for tag, words in known if tag not in _DROPPED]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a mapping in which no key stands twice."""
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE_TAG or not isinstance(key, yaml.ScalarNode):
                continue
            name, line = self.construct_object(key), key.start_mark.line + 1
            if name in seen:
                raise StrictYamlError(f"{name} stands there twice, first in line {seen[name]}", key)
            seen[name] = line
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: Any) -> Any:
        """Return a scalar; what is no text to YAML 1.1, and is none to us, is refused."""
        if isinstance(node, yaml.ScalarNode) and node.style is None and node.tag == _STR_TAG:
            _check_plain(node)
        is_float = isinstance(node, yaml.ScalarNode) and node.tag == _FLOAT_TAG
        if is_float and (":" in node.value or _NO_NUMBER.fullmatch(node.value)):
            raise StrictYamlError(f"{node.value} is no number", node)
        return super().construct_scalar(node)


_Loader.add_implicit_resolver(_INT_TAG, re.compile(rf"^(?:{_INT.pattern})$"), list("-+0123456789"))
_Loader.add_implicit_resolver(_BOOL_TAG, re.compile(rf"^(?:{_BOOL.pattern})$"), list("tTfF"))


def load(text: str) -> tuple[Any, Any]:
    """Return what a YAML document says, and its node; both None where it is empty.

    Raises:
        yaml.YAMLError: it is none, a key stands twice, or a value is not what it looks like.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return (None if node is None else loader.construct_document(node)), node
    finally:
        loader.dispose()


def _check_plain(node: Any) -> None:
    text = node.value
    if _HEX.fullmatch(text):
        raise StrictYamlError(
            f'{text} has to be in quotes, as in "{text}": YAML takes it for a number', node
        )
    if _ZERO_FIRST.fullmatch(text):
        plain = text.lstrip("+-0_") or "0"
        raise StrictYamlError(
            f'{text} begins with a zero: YAML takes it for octal; write {plain}, or "{text}" if it '
            "is text",
            node,
        )
    if _OTHER_BOOL.fullmatch(text):
        raise StrictYamlError(
            f'{text} may be true or false; write that, or "{text}" if it is text', node
        )
