"""From a chain on which things were done to decoded events: the same as read one by one."""

from pathlib import Path

import pyarrow.parquet as pq

from tallystick.chain.localnet import localnet
from tallystick.chain.logs import read_events
from tallystick.data.decode.files import decode_logs
from tallystick.data.extract.dataset import Dataset
from tallystick.protocol.events import CARGO, EVENTS
from tests.integration.extract.conftest import GENESIS, registry_of, run
from tests.support.chain import Chain
from tests.support.story import register


def test_extract_and_decode__a_story__same_events_as_read_one_by_one(tmp_path: Path) -> None:
    with localnet(timestamp=GENESIS) as w3:
        chain = Chain(w3)
        resolver = bytes.fromhex(chain.deploy("MockResolver").address[2:])
        owner, operator, challenger = chain.accounts[1:4]
        network = register(chain, owner, arbiter=resolver, attestors=(resolver,) * 3, max_bytes=64)
        network.join(operator)
        network.fund(challenger)
        committed = network.commit(operator, count=4)
        held = committed.batch.abi(), committed.stamp.pack()
        chain.send(challenger, "challenge", *held, committed.opening(1))
        network.final(operator, slot=1, count=3)
        chain.send(challenger, "withdraw", bytes(20), challenger, 1000)
        chain.mine(40)
        run(tmp_path, chain)
        events = list(read_events(w3, chain.registry.address, 0, w3.eth.block_number))
        times = {
            one.position.block_number: w3.eth.get_block(one.position.block_number)["timestamp"]
            for one in events
        }
        registry = registry_of(chain)
    decode_logs(Dataset(tmp_path), registry)

    assert len({type(one) for one in events}) >= 7
    for name in set(EVENTS) - CARGO:
        folder = Dataset(tmp_path).events(name, registry)
        found = [
            (row["block_number"], row["log_index"], row["transaction_hash"], row["block_time"])
            for path in sorted(folder.iterdir())
            for row in pq.ParquetFile(path).read().to_pylist()
        ]
        assert found == [
            (*one.position.order, "0x" + one.position.tx_hash.hex(), times[one.position.order[0]])
            for one in events
            if type(one).__name__ == name
        ]
