"""errors.py: the tree on top is the one below it."""

import inspect
import re

from tallystick import errors

LINE = re.compile(r"^([│├└─ ]*)(\w+Error)\b(?: \((\w+)\))?")


def drawn() -> dict[str, set[str]]:
    """Bases by class, as the module's docstring draws them."""
    found: dict[str, set[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = LINE.match(line)
        if match is None or (not match[1] and path):
            continue
        depth = len(match[1]) // 4
        path[depth:] = [match[2]]
        found[match[2]] = {*path[depth - 1 : depth], *filter(None, [match[3]])}
    return found


def defined() -> dict[str, set[str]]:
    """Bases by class, as Python has them; Exception itself is not drawn."""
    return {
        name: {base.__name__ for base in kind.__bases__} - {"Exception"}
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception)
    }


def test_errors__tree_on_top__is_what_the_module_defines() -> None:
    assert drawn() == defined()
