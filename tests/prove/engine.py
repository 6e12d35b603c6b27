"""halmos, with terms rewritten that a solver finds hard: each rewriting is an equality."""

import sys
from types import SimpleNamespace
from typing import Any

from halmos.bitvec import HalmosBitVec
from halmos.sevm import Exec
from halmos.ui import UI
from z3 import (
    Z3_OP_ITE,
    BitVecRef,
    BitVecVal,
    BoolRef,
    If,
    Solver,
    is_app_of,
    is_bv_value,
    simplify,
    unsat,
)

_mul, _div, _xor, _sha3 = HalmosBitVec.mul, HalmosBitVec.div, HalmosBitVec.bitwise_xor, Exec.sha3


def _choice(value: object) -> tuple[BoolRef, BitVecRef, BitVecRef] | None:
    """Return condition, then and else of a choice one of whose branches is a number."""
    if not isinstance(value, HalmosBitVec) or value.is_concrete:
        return None
    term = value.as_z3()
    if is_app_of(term, Z3_OP_ITE) and (is_bv_value(term.arg(1)) or is_bv_value(term.arg(2))):
        return term.arg(0), term.arg(1), term.arg(2)
    return None


def _is(term: BitVecRef, number: int) -> bool:
    return is_bv_value(term) and term.as_long() == number


def mul(self: HalmosBitVec, other: HalmosBitVec, *, abstraction: Any = None) -> HalmosBitVec:
    """Multiply; by a bit is a choice, and x * y is the same term as y * x."""
    for bit, factor in ((self, other), (other, self)):
        if found := _choice(bit):
            condition, then, otherwise = found
            term = factor.as_z3()
            zero = BitVecVal(0, term.size())
            if _is(then, 1) and _is(otherwise, 0):
                return HalmosBitVec(If(condition, term, zero), size=self.size)
            if _is(then, 0) and _is(otherwise, 1):
                return HalmosBitVec(If(condition, zero, term), size=self.size)
    if self.is_symbolic and other.is_symbolic and self.as_z3().sexpr() > other.as_z3().sexpr():
        self, other = other, self
    return _mul(self, other, abstraction=abstraction)


def _width(term: BitVecRef) -> int:
    """Return how many low bits of the term may be set."""
    if term.decl().name() == "concat" and _is(term.arg(0), 0):
        return term.size() - term.arg(0).size()
    return term.size()


def div(self: HalmosBitVec, other: HalmosBitVec, *, abstraction: Any = None) -> HalmosBitVec:
    """Divide; a product that cannot overflow, by one of its factors, is the other."""
    if self.is_symbolic and other.is_symbolic:
        product, divisor = self.as_z3(), other.as_z3()
        if product.decl().name().startswith("f_evm_bvmul"):
            x, y = product.arg(0), product.arg(1)
            if _width(x) + _width(y) <= self.size:
                for factor, rest in ((x, y), (y, x)):
                    if factor.eq(divisor):
                        zero = BitVecVal(0, self.size)
                        return HalmosBitVec(If(divisor == zero, zero, rest), size=self.size)
    return _div(self, other, abstraction=abstraction)


def xor(self: HalmosBitVec, other: HalmosBitVec) -> HalmosBitVec:
    """Combine by xor, within a choice that has a zero: a choice without jumps is written so."""
    for choice, rest in ((self, other), (other, self)):
        if (found := _choice(choice)) and isinstance(rest, HalmosBitVec):
            condition, then, otherwise = found
            term = rest.as_z3()
            if _is(otherwise, 0):
                return HalmosBitVec(If(condition, simplify(term ^ then), term), size=self.size)
            if _is(then, 0):
                return HalmosBitVec(If(condition, term, simplify(term ^ otherwise)), size=self.size)
    return _xor(self, other)


def sha3(self: Exec) -> None:
    """Hash; PreImageLib.seal hashes two words, or eight where the dispute has some."""
    size = self.st.peek(2)
    if not isinstance(size, int) and size.is_symbolic:
        for length in (0x40, 0x100):
            solver = Solver()
            solver.add(size.as_z3() != length)
            if solver.check() == unsat:
                self.st.stack[-2] = HalmosBitVec(length, size=256)
    return _sha3(self)


HalmosBitVec.mul, HalmosBitVec.div, HalmosBitVec.bitwise_xor, Exec.sha3 = mul, div, xor, sha3
# This release of halmos and the locked release of rich disagree about the status line.
UI.start_status = lambda self: None


if __name__ == "__main__":
    import halmos.__main__ as cli

    # The runner has built before.
    cli.subprocess = SimpleNamespace(run=lambda command: SimpleNamespace(returncode=0))
    sys.exit(cli._main().exitcode)
