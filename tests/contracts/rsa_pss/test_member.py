"""RsaPssVerifier through OpenZeppelin: a committee's member may hold an RSA key."""

from tallystick.committee import Audit
from tallystick.enums import Grade
from tests.support.chain import reverts
from tests.support.committee import found
from tests.support.enclave import address_of, rsa_key
from tests.support.story import register


def test_attest__rsa_keys_member__is_audited(chain, network_owner, operator):
    member = rsa_key(address_of(chain.deploy("RsaPssVerifier")))
    panel = found(chain, threshold=1, members=1, signers=[member.signer])
    places = (panel.address, bytes(20), bytes(20))
    network = register(chain, network_owner, salt=6, attestors=places)
    network.join(operator)
    batch = network.commit(operator)
    chain.mine(3)
    seed = bytes(chain.w3.eth.get_block(batch.stamp.committed_block + 2)["hash"])
    statement = Audit(batch.id, seed, 5)
    signature = member.sign(statement.digest(panel.domain))
    reference = batch.batch.abi(), batch.stamp.pack(), int(Grade.AUDITED)

    with reverts("SignatureInvalid", member=0):
        evidence = statement.evidence({0: signature[::-1]})
        chain.send(operator, "attest", *reference, evidence)
    chain.send(operator, "attest", *reference, statement.evidence({0: signature}))

    assert batch.status().grade is Grade.AUDITED
