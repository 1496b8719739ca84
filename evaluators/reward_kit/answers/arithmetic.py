"""
Arithmetic over exact fractions, floats and complex numbers, bounded so that it cannot hang.

A result stays a `Fraction` as long as every step is exact.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

Number = Fraction | float | complex

MAX_POWER_BITS = 20_000
MAX_FACTORIAL = 200

FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sqrt": cmath.sqrt, "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "exp": cmath.exp,
    "ln": cmath.log, "log": cmath.log10, "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan,
    "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    "sec": lambda z: 1 / cmath.cos(z), "csc": lambda z: 1 / cmath.sin(z), "cot": lambda z: 1 / cmath.tan(z),
}  # fmt: skip
CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "i": 1j, "inf": math.inf}


class EvaluationError(ValueError):
    """The expression has no value that can be computed."""


def add(a: Number, b: Number) -> Number:
    return a + b  # type: ignore[operator]


def multiply(a: Number, b: Number) -> Number:
    return a * b  # type: ignore[operator]


def divide(a: Number, b: Number) -> Number:
    return a / b  # type: ignore[operator]


def power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent.numerator) * bits > MAX_POWER_BITS:
            raise EvaluationError("power out of range")
        return Fraction(base**exponent.numerator)
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        return _fractional_power(base, exponent)
    return _simple(to_complex(base) ** to_complex(exponent))


def _fractional_power(base: Fraction, exponent: Fraction) -> Number:
    if base < 0 and exponent.denominator % 2:
        return (-1) ** exponent.numerator * float(-base) ** float(exponent)
    return _simple(complex(float(base)) ** float(exponent))


def real_root(radicand: Number, degree: Number) -> Number:
    return power(radicand, divide(Fraction(1), degree))


def apply(name: str, function: Callable[[complex], complex], operand: Number) -> Number:
    if name == "sqrt" and isinstance(operand, Fraction) and operand >= 0:
        top, bottom = math.isqrt(operand.numerator), math.isqrt(operand.denominator)
        if top * top == operand.numerator and bottom * bottom == operand.denominator:
            return Fraction(top, bottom)
    return _simple(function(to_complex(operand)))


def factorial(value: Number) -> int:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value <= MAX_FACTORIAL:
        raise EvaluationError("factorial out of range")
    return math.factorial(value.numerator)


def absolute(value: Number) -> Number:
    if isinstance(value, Fraction):
        return abs(value)
    return float(abs(value))


def _simple(value: complex) -> Number:
    return value.real if abs(value.imag) < 1e-12 * max(1.0, abs(value)) else value


def to_float(value: Number) -> float:
    if isinstance(value, complex):
        raise EvaluationError("not real")
    return float(value)


def to_complex(value: Number) -> complex:
    return value if isinstance(value, complex) else complex(float(value))


OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "+": add,
    "-": lambda a, b: a - b,  # type: ignore[operator]
    "*": multiply,
    "/": divide,
    "^": power,
}
