"""make mutants: what is changed, and how many changes share a build."""

import pytest

from tests.mutants import targets
from tests.mutants.bundle import MAGIC, build
from tests.mutants.equivalents import equivalents
from tests.mutants.generate import mutants_of
from tests.mutants.mutant import Mutant

TREE = "contracts/libraries/TreeLib.sol"
CORE = "contracts/Tallystick.sol"


def changes(file: str, function: str) -> dict[str, list[str]]:
    """Return what each line of a function becomes."""
    found: dict[str, list[str]] = {}
    for mutant in mutants_of([file]):
        if mutant.function == function:
            found.setdefault(mutant.before, []).append(mutant.after)
    return found


def test_mutants__of_the_core__hold_each_kind_of_change():
    deposit = changes(CORE, "deposit")

    whole = "require(msg.value == 0, NativeAmountMismatch(msg.value, 0));"
    assert {
        "{}",
        whole.replace("==", "!="),
        whole.replace("== 0", "== 1"),
        whole.replace("msg.value, 0", "0, msg.value"),
    } <= set(deposit[whole])
    credit = "_credits[asset][msg.sender] += received;"
    assert set(deposit[credit]) == {"{}", credit.replace("+=", "-=")}
    assert any("nonReentrant" in line for line in deposit)


def test_mutants__of_assembly__hold_each_kind_of_change():
    loop = changes(TREE, "rootOf")

    assert "let side := or(leafIndex, 0x20)" in loop["let side := and(leafIndex, 0x20)"]
    assert "let side := and(leafIndex, 0x21)" in loop["let side := and(leafIndex, 0x20)"]
    assert "{}" in loop["mstore(side, node)"]


def test_mutants__of_assembly_with_a_call_in_it__are_built_alone():
    line = "found := and(found, staticcall(gas(), 0x02, input, 0x24, 0x00, 0x20))"
    found = {
        mutant.after: mutant.how
        for mutant in mutants_of(["contracts/keys/RsaPss.sol"])
        if mutant.before == line
    }

    assert found[line.replace("and(", "or(")] == ""
    assert found[line.replace("0x00", "0x1")] == "yul"


def test_bundle__many_changes__is_each_by_its_number():
    wanted, files = {"VerifiedGate": targets.CONTRACTS["VerifiedGate"]}, [TREE]
    mutants = [mutant for mutant in mutants_of(files) if mutant.how][:10]
    refused: list[Mutant] = []

    (bundle,) = build(wanted, mutants, refused.append)

    assert bundle.mutants == mutants and refused == []
    codes = {bundle.code_of(number)["VerifiedGate"] for number in range(11)}
    assert len(codes) == 11
    assert not any(f"{MAGIC:064x}" in code for code in codes)


def test_bundle__an_assignment_that_must_stand__leaves_the_others_their_bundle():
    """The compiler names the return variable, not the switch that may leave it unassigned."""
    wanted = {"OpenGradientItem": targets.CONTRACTS["OpenGradientItem"]}
    files = [*wanted.values(), "contracts/enclave/SignedItems.sol"]
    mutants = [mutant for mutant in mutants_of(files) if mutant.how]
    (must_stand,) = [one for one in mutants if one.before == "leaf := words.offset"]
    stillborn: list[Mutant] = []

    bundles = list(build(wanted, mutants, stillborn.append))

    assert len(bundles[0].mutants) > 30 and must_stand in stillborn
    every = [mutant for bundle in bundles for mutant in bundle.mutants] + stillborn
    assert len(every) == len(mutants) and {*every} == {*mutants}


@pytest.mark.parametrize("file", sorted({key[0] for key in equivalents()}))
def test_equivalents__each_is_a_change_of_today(file):
    made = {mutant.key for mutant in mutants_of([file])}

    listed = {key for key in equivalents() if key[0] == file}
    assert listed <= made
    assert all(len(equivalents()[key]) > 20 for key in listed)
