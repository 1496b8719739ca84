"""
Deciding whether two answers are the same.

Exact forms (integers, fractions, roots) must agree exactly; a decimal is taken as rounded and
compared with a tolerance. Formulas agree when they do at several points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from .answer import Alternatives, Answer, Collection, Equation, Quantity, Words
from .arithmetic import Number
from .expression import EvaluationError, Expression
from .reading import parse_answer, plain_text

UnitMode = Literal["lenient", "strict", "ignore"]

EXACT = 1e-9
# Arbitrary and unrelated, so that two different formulas do not agree at all of them by chance.
_POINTS = (
    (Fraction(7, 3), Fraction(11, 5), Fraction(13, 7), Fraction(5, 2), Fraction(17, 11)),
    (Fraction(3, 7), Fraction(29, 13), Fraction(2, 3), Fraction(19, 17), Fraction(8, 5)),
    (Fraction(-5, 4), Fraction(31, 9), Fraction(-9, 7), Fraction(6, 11), Fraction(23, 6)),
    (Fraction(13, 4), Fraction(-7, 9), Fraction(12, 5), Fraction(-3, 8), Fraction(9, 10)),
)


@dataclass(frozen=True)
class Rules:
    """How exact a comparison has to be."""

    tolerance: float = 1e-3
    """Relative to the expected value; applies where a decimal is involved."""
    absolute_tolerance: float = 1e-8
    units: UnitMode = "lenient"
    """`lenient`: a missing unit is fine, a contradicting one is not."""


def same_answer(expected: str | Answer, actual: str | Answer, rules: Rules | None = None) -> bool:
    """
    Tell whether two answers mean the same.

        same_answer("5/12", "0.41666")  ->  True
        same_answer("1000", "1001")     ->  False
    """
    if isinstance(expected, str) and isinstance(actual, str):
        written = plain_text(expected)
        if written and written == plain_text(actual):
            return True  # also where neither can be evaluated, as 9^9^9^9
    expected = parse_answer(expected) if isinstance(expected, str) else expected
    actual = parse_answer(actual) if isinstance(actual, str) else actual
    return _same(expected, actual, rules or Rules())


def _same(expected: Answer, actual: Answer, rules: Rules) -> bool:
    if isinstance(expected, Alternatives):
        return any(_same(part, actual, rules) for part in expected.parts)
    if isinstance(actual, Alternatives):
        return any(_same(expected, part, rules) for part in actual.parts)
    expected, actual = _expanded(expected), _expanded(actual)
    if isinstance(expected, Quantity) and isinstance(actual, Quantity):
        return _same_quantity(expected, actual, rules)
    if isinstance(expected, Collection) and isinstance(actual, Collection):
        return _same_collection(expected, actual, rules)
    if isinstance(expected, Equation) and isinstance(actual, Equation):
        return _same_equation(expected, actual)
    if isinstance(expected, Words) and isinstance(actual, Words):
        return _same_words(expected.text, actual.text)
    return _same_mixed(expected, actual, rules)


def _expanded(answer: Answer) -> Answer:
    """Write out "±": both values."""
    if not isinstance(answer, Quantity) or not answer.expression.has_plus_minus:
        return answer
    both = (_with_sign(answer.expression, 1), _with_sign(answer.expression, -1))
    return Collection("list", tuple(replace(answer, expression=signed) for signed in both))


def _with_sign(expression: Expression, sign: int) -> Expression:
    evaluate = expression.evaluate
    return replace(
        expression, has_plus_minus=False, evaluate=lambda env: evaluate({**env, "+-": Fraction(sign)})
    )


def _same_mixed(expected: Answer, actual: Answer, rules: Rules) -> bool:
    """Compare a value with a collection that states nothing but one value, as "3/8, or 37.5%" does."""
    for one, other in ((expected, actual), (actual, expected)):
        if isinstance(one, Equation) and isinstance(other, Quantity) and len(one.left.variables) > 1:
            # "a + b = 5" states a value, "2x = 10" does not.
            return one.operator == "=" and _same(Quantity(one.right), other, rules)
        if isinstance(one, Collection) and one.parts and isinstance(other, (Quantity, Equation)):
            return all(_same(part, other, rules) for part in one.parts) and one.shape in ("list", "set")
    return False


def _same_words(expected: str, actual: str) -> bool:
    wanted, got = _canonical(expected), _canonical(actual)
    if re.fullmatch(r"[a-j]", wanted):
        return re.match(rf"\(?{wanted}(?:[).:]|$)", actual.strip().lower()) is not None
    return bool(wanted) and wanted == got


def _canonical(text: str) -> str:
    words = re.findall(r"[^\W_]+", text.casefold())
    return " ".join(word for word in words if word not in ("the", "a", "an"))


def _same_collection(expected: Collection, actual: Collection, rules: Rules) -> bool:
    if len(expected.parts) != len(actual.parts):
        return False
    unordered = {"list", "set", "union"}
    shapes = {expected.shape, actual.shape}
    if not shapes <= unordered and len(shapes) > 1 and "list" not in shapes:
        # {1, 2, 3} and [1, 2, 3] may both list solutions; (1, 2) and [1, 2] are different intervals.
        if shapes != {"set", "[]"}:
            return False
        return _matched(expected.parts, actual.parts, rules)
    if shapes <= unordered:
        return _matched(expected.parts, actual.parts, rules)
    return all(_same(e, a, rules) for e, a in zip(expected.parts, actual.parts, strict=True))


def _matched(expected: Sequence[Answer], actual: Sequence[Answer], rules: Rules) -> bool:
    """Pair the parts up in any order; parts with different names never pair."""
    left = list(actual)
    for part in expected:
        fits = (i for i, one in enumerate(left) if _same_name(part, one) and _same(part, one, rules))
        index = next(fits, None)
        if index is None:
            return False
        del left[index]
    return True


def _same_name(a: Answer, b: Answer) -> bool:
    names = {a.name, b.name} - {""} if isinstance(a, Quantity) and isinstance(b, Quantity) else set()
    return len(names) < 2


def _same_quantity(expected: Quantity, actual: Quantity, rules: Rules) -> bool:
    factors = list(_unit_factors(expected, actual, rules.units))
    return any(
        _same_expression(expected.expression, actual.expression, e_factor, a_factor, rules)
        for e_factor, a_factor in factors
    )


def _unit_factors(expected: Quantity, actual: Quantity, mode: UnitMode) -> Iterator[tuple[Number, Number]]:
    """Yield the pairs of factors under which the two numbers may be compared; none if units forbid it."""
    one = Fraction(1)
    if mode == "ignore" or not (expected.unit_text or actual.unit_text):
        yield one, one
    elif expected.unit and actual.unit:
        yield from _known_factors(expected, actual)
        if mode == "lenient" and expected.unit.is_percent and actual.unit.is_percent:
            yield one, one
    elif expected.unit_text and actual.unit_text:
        if mode == "lenient" or _noun(expected.unit_text) == _noun(actual.unit_text):
            yield one, one
    else:
        yield from _one_sided(expected, actual, mode)


def _known_factors(expected: Quantity, actual: Quantity) -> Iterator[tuple[Number, Number]]:
    assert expected.unit is not None
    assert actual.unit is not None
    if expected.unit.dimension == actual.unit.dimension:
        yield expected.unit.factor, actual.unit.factor
    elif {expected.unit.dimension, actual.unit.dimension} == {(("degree", 1),), (("radian", 1),)}:
        yield _radians(expected), _radians(actual)


def _one_sided(expected: Quantity, actual: Quantity, mode: UnitMode) -> Iterator[tuple[Number, Number]]:
    holder = expected if expected.unit_text else actual
    unit = holder.unit
    is_number = unit is not None and unit.is_percent
    if mode == "lenient" and not holder.is_ambiguous:
        yield Fraction(1), Fraction(1)
    if is_number or (mode == "lenient" and unit is not None and unit.dimension == (("degree", 1),)):
        factor = unit.factor if is_number and unit else _radians(holder)
        yield (factor, Fraction(1)) if holder is expected else (Fraction(1), factor)


def _radians(quantity: Quantity) -> Number:
    is_degree = quantity.unit is not None and quantity.unit.dimension == (("degree", 1),)
    return math.pi / 180 if is_degree else Fraction(1)


def _noun(text: str) -> str:
    return " ".join(word.removesuffix("s") for word in text.lower().split())


def _same_expression(
    expected: Expression, actual: Expression, e_factor: Number, a_factor: Number, rules: Rules
) -> bool:
    variables = sorted(expected.variables | actual.variables)
    if len(variables) > len(_POINTS[0]):
        return False
    is_decimal = expected.is_decimal or actual.is_decimal
    compared = 0
    for point in _POINTS if variables else _POINTS[:1]:
        env = dict(zip(variables, point, strict=False))
        try:
            e, a = expected.value(env), actual.value(env)
            if not _close(e * e_factor, a * a_factor, is_decimal, rules):  # type: ignore[operator]
                return False
        except (EvaluationError, ArithmeticError):
            continue
        compared += 1
    return compared >= (2 if variables else 1)


def _close(expected: Number, actual: Number, is_decimal: bool, rules: Rules) -> bool:
    if expected == actual:
        return True
    if isinstance(expected, Fraction) and isinstance(actual, Fraction) and not is_decimal:
        return False
    distance, size = abs(complex(expected) - complex(actual)), abs(complex(expected))
    if not math.isfinite(distance):
        return False
    if is_decimal:
        return distance <= max(rules.absolute_tolerance, rules.tolerance * size)
    return distance <= EXACT * max(size, 1.0)


def _same_equation(expected: Equation, actual: Equation) -> bool:
    """Two equations are the same when one is a multiple of the other, a positive one for inequalities."""
    if expected.operator != actual.operator:
        return False
    variables = sorted(
        expected.left.variables | expected.right.variables | actual.left.variables | actual.right.variables
    )
    if not variables or len(variables) > len(_POINTS[0]):
        return False
    ratios = []
    for point in _POINTS:
        env = dict(zip(variables, point, strict=False))
        try:
            wanted = complex(expected.left.value(env)) - complex(expected.right.value(env))
            got = complex(actual.left.value(env)) - complex(actual.right.value(env))
            ratios.append(got / wanted)
        except (EvaluationError, ArithmeticError):
            continue
    if len(ratios) < 2 or abs(ratios[0]) < EXACT:
        return False
    constant = all(abs(ratio - ratios[0]) <= EXACT * abs(ratios[0]) for ratio in ratios)
    return constant and (expected.operator in ("=", "!=") or ratios[0].real > 0)
