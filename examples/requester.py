"""Somebody who asks an operator's node, and holds it to its word.

    .venv/bin/python examples/requester.py RPC_URL OPERATOR_URL MODEL_ID INPUT_IN_HEX...

No transaction is sent: the key only signs requests.
"""

import os
import sys

import tallystick

# The second account of the well-known development mnemonic, for local chains only.
LOCAL_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


def main(rpc_url: str, operator_url: str, model_id: str, *inputs: str) -> None:
    registry = tallystick.connect(rpc_url, key=os.environ.get("TALLYSTICK_KEY", LOCAL_KEY))
    with registry.requester(operator_url) as requester:
        answers = requester.ask(
            bytes.fromhex(model_id[2:]), [bytes.fromhex(one[2:]) for one in inputs]
        )
        for answer in answers:
            print(f"answer 0x{answer.output.hex()}, acknowledged by 0x{answer.word.key.hex()}")
        for receipt in requester.wait(answers, timeout=600):
            status = registry.check(receipt)
            print(
                f"leaf {receipt.opening.leaf_index} of batch 0x{receipt.batch_id.hex()}: "
                f"{status.state.name.lower()}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
