"""Events of a packaged contract that is no registry, by name."""

from collections.abc import Iterator, Sequence
from typing import Any

from web3 import Web3

from tallystick.chain.abi import contract, signature_hash
from tallystick.chain.logs import Filter, read_logs
from tallystick.protocol.hexes import to_hex


def contract_events(
    w3: Web3,
    source: str,
    address: bytes,
    name: str,
    topics: Sequence[list[str] | None],
    first_block: int,
) -> Iterator[Any]:
    """Yield the arguments of an event, by name, up to the latest block and in their order.

    Args:
        w3: connected.
        source: the packaged contract, such as Pool.
        address: 20 bytes, where it is.
        name: of the event.
        topics: of its indexed arguments, those that will do as hex text; None: any.
        first_block: where reading begins.

    Raises:
        LogError: the node answers with logs of another contract or range.
    """
    entry = next(one for one in contract(source).abi if one.get("name") == name)
    wanted: Filter = [[to_hex(signature_hash(entry))], *topics]
    while wanted[-1] is None:
        wanted.pop()
    event = w3.eth.contract(Web3.to_checksum_address(address), abi=[entry]).events[name]()
    for log in read_logs(w3, address, first_block, w3.eth.block_number, [wanted]):
        yield event.process_log(log)["args"]
