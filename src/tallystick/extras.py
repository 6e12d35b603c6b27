"""Extras of the package, by the modules that they bring."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from types import TracebackType

_DISTRIBUTIONS = {
    "ape": "eth-ape",
    "ape_accounts": "eth-ape",
    "PIL": "pillow",
    "ibis": "ibis-framework",
    "requests": "eth-ape",
    "sklearn": "scikit-learn",
    "solcx": "py-solc-x",
}
"""Of modules that are not called as what is installed."""
_REQUIREMENT = re.compile(r"^([\w.-]+).*?extra == ['\"]([\w-]+)['\"]")
_OF_PACKAGES = {"data": "totals"}
"""Extras that are not called as the package that they are for."""
_FIRST = ("totals", "dashboard", "replay", "opengradient", "ape", "node", "demo")
"""Where several extras would do: the earlier, the smaller."""


def missing_extra(error: ImportError) -> str | None:
    """Return one line that says what to install, or None where the import fails for our fault.

    Args:
        error: as it was caught: what imported the module decides between several extras.
    """
    module = (error.name or "").split(".")[0]
    if module == "tallystick":
        return None
    found = _extras(_distribution(module))
    if not found:
        return str(error)
    own = [extra for extra in _importers(error.__traceback__) if extra in found]
    extra = own[-1] if own else min(found, key=_rank)
    return f"{module} is not installed; needed: pip install 'tallystick[{extra}]'"


def _distribution(module: str) -> str:
    return re.sub(r"[-_.]+", "-", _DISTRIBUTIONS.get(module, module)).lower()


def _extras(distribution: str) -> list[str]:
    """Return the extras that bring a distribution."""
    try:
        lines = requires("tallystick") or []
    except PackageNotFoundError:
        return []
    matches = [match for line in lines if (match := _REQUIREMENT.match(line))]
    return [match[2] for match in matches if _distribution(match[1]) == distribution]


def _importers(traceback: TracebackType | None) -> Iterator[str]:
    """Yield the extras of our packages that the import went through, the innermost last."""
    while traceback is not None:
        parts = traceback.tb_frame.f_globals.get("__name__", "").split(".")
        if parts[0] == "tallystick" and len(parts) > 1:
            yield _OF_PACKAGES.get(parts[1], parts[1])
        traceback = traceback.tb_next


def _rank(extra: str) -> int:
    return _FIRST.index(extra) if extra in _FIRST else len(_FIRST)
