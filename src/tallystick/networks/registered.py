"""Adapters that are here: our own, and those of installed packages."""

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from tallystick.networks.adapter import Adapter
from tallystick.networks.errors import AdapterError

GROUP = "tallystick.networks"
"""Entry points by which a package ships adapters: each names an Adapter, or a tuple of them."""
OURS = (
    "opengradient",
    "zero_g",
    "ritual",
    "arbius",
    "olas",
    "gonka",
    "erc8004",
    "claimed",
)
"""Modules of networks.adapters, each with an ADAPTER or ADAPTERS."""


@cache
def adapters() -> Mapping[str, Adapter]:
    """Return all adapters by name, ours first.

    Raises:
        AdapterError: a package's entry point gives something else, or takes a name twice.
    """
    found: dict[str, Adapter] = {}
    for name in OURS:
        module = importlib.import_module(f"tallystick.networks.adapters.{name}")
        ours = getattr(module, "ADAPTERS", None) or (module.ADAPTER,)
        found |= {one.name: one for one in ours}
    for entry in entry_points(group=GROUP):
        try:
            given = entry.load()
        except Exception as error:
            raise AdapterError(f"entry point {entry.value} does not load: {error}") from error
        for one in given if isinstance(given, tuple) else (given,):
            if not isinstance(one, Adapter):
                raise AdapterError(f"entry point {entry.value} gives no Adapter")
            if one.name in found:
                raise AdapterError(f"entry point {entry.value}: an adapter {one.name} is there")
            found[one.name] = one
    return MappingProxyType(found)


def adapter(name: str) -> Adapter:
    """Return an adapter by name; AdapterError when there is none."""
    known = adapters()
    if name not in known:
        raise AdapterError(f"no adapter {name!r}; known: {', '.join(known)}")
    return known[name]
