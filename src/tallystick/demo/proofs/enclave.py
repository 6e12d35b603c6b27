"""A key that endorsers endorse as an enclave's, and that signs batches.

No hardware is here: the key is this process's. On chain all is as with an enclave's.
"""

from web3 import Web3

from tallystick.chain.call import encode_call
from tallystick.chain.deploy import creation_code, deploy
from tallystick.chain.sender import Sender
from tallystick.protocol.batch import Batch
from tallystick.protocol.eip712 import Domain
from tallystick.protocol.enclave import Endorsement, approval_digest, sign_batch
from tallystick.protocol.keccak import keccak256
from tallystick.protocol.keys import packed
from tallystick.protocol.signature import account_of, sign

MEASUREMENT = keccak256(b"the code that answers")
THRESHOLD = 2
_ENDORSERS = [keccak256(b"endorser %d" % number) for number in range(3)]
_KEY = keccak256(b"a key that never leaves its enclave")
_LAST = 2**40 - 1


def found_enclave(w3: Web3, sender: Sender) -> bytes:
    """Deploy the resolver of two of three endorsers; return its address, 20 bytes."""
    endorsers = [account_of(key) for key in _ENDORSERS]
    address, _ = deploy(w3, sender, creation_code("Enclave", endorsers, THRESHOLD))
    return address


class EnclaveKey:
    """The key, endorsed for one operator.

    Args:
        domain: of the resolver.
        operator: whose batches it signs, 20 bytes.
    """

    def __init__(self, domain: Domain, operator: bytes) -> None:
        self._domain, self._operator = domain, operator

    def endorse(self, sender: Sender) -> None:
        """Have the endorsers approve the measurement and endorse the key; anyone brings it."""
        to = self._domain.contract
        approved = packed(_signed(approval_digest(self._domain, MEASUREMENT)))
        sender.send(encode_call("Enclave", to, "approveMeasurement", MEASUREMENT, approved))
        statement = Endorsement(account_of(_KEY), MEASUREMENT, self._operator, 0, _LAST)
        endorsed = statement.arguments(_signed(statement.digest(self._domain)))
        sender.send(encode_call("Enclave", to, "endorse", *endorsed))

    def sign(self, batch: Batch) -> bytes:
        """Return the evidence for attest: the key's signature over a batch."""
        return sign_batch(self._domain, batch, account_of(_KEY), lambda digest: sign(digest, _KEY))


def _signed(digest: bytes) -> dict[int, bytes]:
    return {number: sign(digest, _ENDORSERS[number]) for number in range(THRESHOLD)}
