"""Each rewriting of the prover's terms is an equality: its negation has no model."""

import pytest
from halmos.bitvec import HalmosBitVec
from halmos.sevm import f_mul
from z3 import BitVec, BitVecVal, Bool, If, Solver, UDiv, ZeroExt, substitute_funs, unsat
from z3 import Var as Variable

from tests.prove import engine

X, Y = BitVec("x", 256), BitVec("y", 256)
ONE, ZERO = BitVecVal(1, 256), BitVecVal(0, 256)
CONDITION = Bool("condition")


def assert_equal(term, expected):
    solver = Solver()
    solver.add(term != expected)
    assert solver.check() == unsat


@pytest.mark.parametrize("bit", [If(CONDITION, ONE, ZERO), If(CONDITION, ZERO, ONE)])
@pytest.mark.parametrize("swapped", [False, True])
def test_mul__by_a_bit__equals_the_product(bit, swapped):
    factors = (HalmosBitVec(X), HalmosBitVec(bit))

    product = engine.mul(*(factors[::-1] if swapped else factors), abstraction=f_mul[256])

    assert "f_evm_bvmul" not in product.as_z3().sexpr()
    assert_equal(product.as_z3(), X * bit)


def test_mul__of_two_unknowns__does_not_depend_on_their_order():
    x, y = HalmosBitVec(X), HalmosBitVec(Y)

    product = engine.mul(x, y, abstraction=f_mul[256])

    assert product.as_z3().eq(engine.mul(y, x, abstraction=f_mul[256]).as_z3())
    assert_equal(
        substitute_funs(
            product.as_z3(), (f_mul[256], Variable(0, X.sort()) * Variable(1, X.sort()))
        ),
        X * Y,
    )


@pytest.mark.parametrize("choice", [If(CONDITION, X ^ Y, ZERO), If(CONDITION, ZERO, X ^ Y)])
@pytest.mark.parametrize("swapped", [False, True])
def test_xor__with_a_choice_that_has_a_zero__equals_it(choice, swapped):
    sides = (HalmosBitVec(X), HalmosBitVec(choice))

    combined = engine.xor(*(sides[::-1] if swapped else sides))

    assert_equal(combined.as_z3(), X ^ choice)


def test_div__of_a_product_that_cannot_overflow__gives_the_other_factor():
    x, y = ZeroExt(250, BitVec("a", 6)), ZeroExt(250, BitVec("b", 6))
    product = engine.mul(HalmosBitVec(x), HalmosBitVec(y), abstraction=f_mul[256])

    quotient = engine.div(product, HalmosBitVec(x)).as_z3()

    assert "bvudiv" not in quotient.sexpr()
    narrow_x, narrow_y = ZeroExt(6, BitVec("a", 6)), ZeroExt(6, BitVec("b", 6))
    expected = If(narrow_x == 0, BitVecVal(0, 12), UDiv(narrow_x * narrow_y, narrow_x))
    assert_equal(quotient, ZeroExt(244, expected))


def test_div__of_a_product_that_may_overflow__is_left_alone():
    product = engine.mul(HalmosBitVec(X), HalmosBitVec(Y), abstraction=f_mul[256])

    quotient = engine.div(product, HalmosBitVec(X)).as_z3()

    assert "bvudiv" in quotient.sexpr()
