"""A network of signed requests under Proof with the digits circuit, and its operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.chain.deploy import deployment
from tallystick.protocol.abi_words import ZERO32
from tallystick.protocol.events import ModelRegistered
from tallystick.protocol.proof import SPEC_ID
from tests.node.operator.conftest import DEMANDER, OPERATOR, Scene
from tests.support.chain import Chain
from tests.support.enclave import address_of
from tests.support.story import CREDIT, register
from tests.zk.conftest import Proven

STAKE = 10_000


@contextmanager
def staged(chain: Chain, proven: Proven, folder: Path) -> Iterator[Scene]:
    """A scene whose only model is the circuit, and whose node proves."""
    owner = chain.accounts[1]
    chain.send_call(chain.accounts[0], deployment(proven.model.creation))
    places = (bytes(20), bytes(20), address_of(chain.deploy("Proof")))
    network = register(chain, owner, salt=70, attestors=places, solicited=True, max_bytes=128)
    network.join(chain.accounts[OPERATOR], STAKE)
    network.fund(chain.accounts[DEMANDER], CREDIT)
    content = proven.model.circuit.content_hash()
    mined = chain.send(owner, "registerModel", network.id, content, SPEC_ID, ZERO32, "digits", "")
    model_id = mined.event(ModelRegistered).model_id
    model = {"file": str(proven.model.folder), "runner": "zk"}
    yield Scene(chain, network, model_id, folder, model)
