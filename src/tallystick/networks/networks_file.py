"""The file that says which networks are followed, and by which nodes.

chains:
  16661:
    rpc: [https://evmrpc.0g.ai]    JSON-RPC URLs, in the order of preference
    depth: 20                      blocks below the latest to stop at; else the finalized block
    block_range: 10000             blocks of a file
networks:
  0g:                              an adapter, at the places that it knows on these chains
  my-testnet:
    adapter: 0g                    else the network's own name
    places:                        instead of the adapter's
      - {chain: 16602, address: "0x…", first_block: 0, kind: ""}
    options: {}                    what else the adapter asks for
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallystick.networks.adapter import Adapter, Place
from tallystick.networks.errors import AdapterError
from tallystick.networks.registered import adapter
from tallystick.protocol.hexes import from_hex
from tallystick.storage.yaml_file import YamlFile

_CHAIN = {"rpc", "depth", "block_range"}
_NETWORK = {"adapter", "places", "options"}
_PLACE = {"chain", "address", "first_block", "kind"}


@dataclass(frozen=True, slots=True)
class ChainNodes:
    """A chain's nodes, and how far and how it is read."""

    rpcs: tuple[str, ...]
    depth: int | None = None
    block_range: int = 10_000


@dataclass(frozen=True, slots=True)
class Followed:
    """A network that is followed."""

    name: str
    adapter: Adapter
    places: tuple[Place, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworksFile:
    """Networks that are followed, and the nodes of their chains."""

    chains: Mapping[int, ChainNodes]
    networks: tuple[Followed, ...]

    @classmethod
    def read(cls, path: Path) -> "NetworksFile":
        """Return what a file says.

        Raises:
            YamlFileError: wrong or missing keys, an unknown adapter, a network without a place on
                the chains named.
            OSError: the file cannot be read.
        """
        file = YamlFile(path)
        found = file.check_keys({"chains", "networks"}, {"networks"})
        chains = {}
        if "chains" in found:
            for key in file.check_keys(found["chains"] or {}, place=["chains"]):
                chains[_chain_id(file, key)] = _chain(file, key)
        names = list(file.check_keys(found["networks"] or {}, place=["networks"]))
        if not names:
            raise file.error(["networks"], "no network is named")
        return cls(chains, tuple(_network(file, name, chains) for name in names))


def _chain_id(file: YamlFile, key: object) -> int:
    if not str(key).isdecimal():
        raise file.error(["chains", str(key)], f"{key} is no chain id")
    return int(str(key))


def _chain(file: YamlFile, key: Any) -> ChainNodes:
    place = ["chains", key]
    given = file.check_keys(_CHAIN, {"rpc"}, place)
    urls = [given["rpc"]] if isinstance(given["rpc"], str) else given["rpc"]
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise file.error([*place, "rpc"], "rpc is not a list of URLs")
    depth = _whole(file, [*place, "depth"], given.get("depth"))
    block_range = _whole(file, [*place, "block_range"], given.get("block_range"))
    return ChainNodes(tuple(urls), depth, 10_000 if block_range is None else max(1, block_range))


def _network(file: YamlFile, name: str, chains: Mapping[int, ChainNodes]) -> Followed:
    where = ["networks", name]
    empty = file.content["networks"][name] is None
    given = {} if empty else file.check_keys(_NETWORK, place=where)
    if not name.replace("-", "").replace("_", "").isalnum():
        raise file.error(where, f"{name} is no name for a folder; needed: letters, digits, - and _")
    try:
        found = adapter(str(given.get("adapter", name)))
    except AdapterError as error:
        raise file.error([*where, "adapter"], str(error)) from error
    if given.get("places"):
        if not isinstance(given["places"], list):
            raise file.error([*where, "places"], "places is not a list")
        numbers = range(len(given["places"]))
        places = tuple(_place(file, [*where, "places", one], found) for one in numbers)
    else:
        places = tuple(one for one in found.places if one.chain_id in chains)
    unknown = sorted({one.chain_id for one in places} - set(chains))
    if unknown:
        raise file.error(where, f"chain {unknown[0]} is not among chains")
    options = given.get("options") or {}
    if not isinstance(options, dict):
        raise file.error([*where, "options"], "options is not a mapping of keys to values")
    taken = found.reader.options if found.reader else frozenset()
    for key in options:
        if key not in taken:
            raise file.error([*where, "options", key], f"{found.name} takes no option {key}")
    if not places and not found.reader:
        ids = ", ".join(str(one) for one in sorted({one.chain_id for one in found.places}))
        needed = f"chains {ids}" if ids else "places"
        raise file.error(where, f"no place of {name} is on the chains named; needed: {needed}")
    return Followed(name, found, places, options)


def _place(file: YamlFile, where: list[str | int], found: Adapter) -> Place:
    given = file.check_keys(_PLACE, {"chain", "address"}, where)
    first_block = _whole(file, [*where, "first_block"], given.get("first_block")) or 0
    chain_id = _whole(file, [*where, "chain"], given["chain"])
    kind = str(given.get("kind") or (found.kinds[0].name if found.kinds else ""))
    try:
        found.kind(kind)
        address = None
        if given["address"] != "any":
            address = from_hex(str(given["address"]), 20, "address")
    except (AdapterError, ValueError) as error:
        raise file.error(where, str(error)) from error
    return Place(chain_id or 0, address, first_block, kind)


def _whole(file: YamlFile, where: list[Any], value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise file.error(where, f"{where[-1]} is {value!r}; needed: a whole number")
    return int(str(value))
