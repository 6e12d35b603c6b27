"""An error's selector says one thing: contracts that share it name its arguments alike."""

from collections import defaultdict

from tallystick.chain.abi import PACKAGED, contract, signature_hash


def test_errors__same_selector_in_several_contracts__same_names() -> None:
    names: dict[bytes, set[tuple[str, ...]]] = defaultdict(set)
    for packaged in PACKAGED:
        for entry in contract(packaged).abi:
            if entry["type"] == "error":
                arguments = tuple(argument["name"] for argument in entry["inputs"])
                names[signature_hash(entry)[:4]].add((entry["name"], *arguments))

    assert [sorted(found) for found in names.values() if len(found) > 1] == []
