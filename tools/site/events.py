"""Events of the contracts, from their NatSpec, with the topic that a filter asks for."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from natspec import contracts, section, types  # noqa: E402

from tallystick.protocol.keccak import keccak256  # noqa: E402

SHOWN = ("ITallystick", "ICommittee", "IPool", "IKeyring", "ISignedItems", "IEnclaveHttp")
HEAD = """# Events

From the NatSpec of the interfaces, as compiled. The first topic is what a filter of logs asks for.
What is counted from them is in [Protocol](../protocol.md), which tables hold them in
[Data folder](../data.md).
"""


def page() -> str:
    """Return the page's text."""
    parts, seen = [HEAD], set[str]()
    for name in SHOWN:
        contract = contracts()[name]
        found = []
        for entry in contract["abi"]:
            if entry["type"] != "event":
                continue
            signature = f"{entry['name']}({types(entry['inputs'])})"
            if signature not in seen:
                seen.add(signature)
                topic = "0x" + keccak256(signature.encode()).hex()
                found.append(f"{section(contract, entry)}\nFirst topic `{topic}`.\n")
        if found:
            parts += [f"## {name}\n", *found]
    return "\n".join(parts)
