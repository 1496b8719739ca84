"""
Mathematical expressions: read into a tree, evaluated exactly where possible.

Numbers are `Fraction`s until a root or a function makes them floats. Nothing here can hang on
hostile input: text is bounded, powers and factorials too.

    parse("2x + 1/2").value({"x": Fraction(3)})  ->  Fraction(13, 2)
"""

from __future__ import annotations

import cmath
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from .arithmetic import (
    CONSTANTS,
    FUNCTIONS,
    OPERATIONS,
    EvaluationError,
    Number,
    absolute,
    add,
    apply,
    divide,
    factorial,
    multiply,
    power,
    real_root,
    to_complex,
    to_float,
)

Tree = Callable[[Mapping[str, Number]], Number]

MAX_LENGTH = 400
MAX_DEPTH = 40
MAX_EXPONENT = 400

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+(?![\w.]))?)"
    r"|(?P<name>[a-zA-Zα-ωΑ-Ω]+(?:_\(\w+\)|_\w)?)|(?P<op>\+-|[-+*/^()!%°|,:]))"
)
KNOWN_NAMES = frozenset(FUNCTIONS) | frozenset(CONSTANTS) | {"root"}


class ParseError(ValueError):
    """The text is not an expression."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression."""

    evaluate: Tree = field(compare=False)
    variables: frozenset[str]
    is_decimal: bool
    """Whether a decimal fraction occurs, so that the value is probably rounded."""
    is_literal: bool
    """Whether it is one written number, perhaps signed."""
    has_plus_minus: bool = False
    is_percent: bool = False

    def value(self, variables: Mapping[str, Number] | None = None) -> Number:
        """Evaluate; raises EvaluationError for a division by zero and the like."""
        try:
            return self.evaluate(variables or {})
        except (ArithmeticError, ValueError, KeyError, TypeError) as error:
            raise EvaluationError(str(error)) from error


def parse(text: str) -> Expression:
    """Parse plain notation; raises ParseError."""
    if len(text) > MAX_LENGTH:
        raise ParseError("too long")
    return _Parser(_tokens(text)).expression()


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """Split into (kind, text, preceded by a space)."""
    tokens: list[tuple[str, str, bool]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            raise ParseError(f"unexpected {text[position:].strip()[:1]!r}")
        spaced = text[position].isspace()
        kind = match.lastgroup or ""
        value = match.group(kind)
        if kind == "name":
            tokens.extend(_names(value, spaced))
        else:
            tokens.append((kind, value, spaced))
        position = match.end()
    return tokens


def _names(word: str, spaced: bool) -> list[tuple[str, str, bool]]:
    """A known name, or the product of one-letter variables that a run of letters stands for."""
    if word in KNOWN_NAMES or "_" in word or len(word) == 1:
        return [("name", re.sub("[()]", "", word), spaced)]
    for known in sorted(KNOWN_NAMES - {"e", "i"}, key=len, reverse=True):
        if known in word:
            before, _, after = word.partition(known)
            parts = [*(_names(before, spaced) if before else []), ("name", known, spaced)]
            return parts + (_names(after, False) if after else [])
    return [("name", letter, spaced and index == 0) for index, letter in enumerate(word)]


class _Parser:
    """Recursive descent: sum, product, sign, power, postfix, atom."""

    def __init__(self, tokens: list[tuple[str, str, bool]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.variables: set[str] = set()
        self.is_decimal = False
        self.has_plus_minus = False
        self.is_percent = False

    def expression(self) -> Expression:
        tree = self._sum()
        if self._at < len(self._tokens):
            raise ParseError(f"unexpected {self._tokens[self._at][1]!r}")
        numbers = [t for t in self._tokens if t[0] == "number"]
        rest = [t[1] for t in self._tokens if t[0] != "number"]
        return Expression(
            evaluate=tree,
            variables=frozenset(self.variables),
            is_decimal=self.is_decimal,
            is_literal=len(numbers) == 1 and all(text in "+-" for text in rest),
            has_plus_minus=self.has_plus_minus,
            is_percent=self.is_percent,
        )

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        if self._at < len(self._tokens) and self._peek() in wanted and self._tokens[self._at][0] != "number":
            self._at += 1
            return self._tokens[self._at - 1][1]
        return ""

    def _sum(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ParseError("nested too deeply")
        left = self._product()
        while operator := self._take("+", "-", "+-"):
            left = self._binary(operator, left, self._product())
        self._depth -= 1
        return left

    def _product(self) -> Tree:
        left = self._signed()
        while True:
            if operator := self._take("*", "/", ":"):
                left = self._binary("/" if operator == ":" else operator, left, self._signed())
            elif self._starts_factor():
                left = self._binary("*", left, self._power())
            else:
                return left

    def _starts_factor(self) -> bool:
        if self._at >= len(self._tokens):
            return False
        kind, text, _ = self._tokens[self._at]
        previous_kind = self._tokens[self._at - 1][0]
        # Two numbers side by side are no product; "1 2/3" is read where the number is.
        return kind == "name" or text == "(" or (kind == "number" and previous_kind == "op")

    def _signed(self) -> Tree:
        if operator := self._take("+", "-", "+-"):
            operand = self._signed()
            return operand if operator == "+" else self._binary(operator, lambda _: Fraction(0), operand)
        return self._power()

    def _power(self) -> Tree:
        base = self._postfix()
        if self._take("^"):
            return self._binary("^", base, self._signed())
        return base

    def _postfix(self) -> Tree:
        operand = self._atom()
        while operator := self._take("!", "%", "°"):
            operand = self._apply_postfix(operator, operand)
        return operand

    def _apply_postfix(self, operator: str, operand: Tree) -> Tree:
        if operator == "!":
            return lambda env: Fraction(factorial(operand(env)))
        if operator == "%":
            self.is_percent = True
            return lambda env: divide(operand(env), Fraction(100))
        return lambda env: to_float(operand(env)) * math.pi / 180

    def _atom(self) -> Tree:
        if self._at >= len(self._tokens):
            raise ParseError("unexpected end")
        kind, text, _ = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return self._number(text)
        if kind == "name":
            return self._named(text)
        if text == "(":
            inner = self._sum()
            if not self._take(")"):
                raise ParseError("missing )")
            return inner
        if text == "|":
            inner = self._sum()
            if not self._take("|"):
                raise ParseError("missing |")
            return lambda env: absolute(inner(env))
        raise ParseError(f"unexpected {text!r}")

    def _number(self, text: str) -> Tree:
        mantissa, _, exponent = text.lower().partition("e")
        if abs(int(exponent or 0)) > MAX_EXPONENT:
            raise ParseError("exponent out of range")
        number = Fraction(mantissa.replace(",", "").rstrip(".") + (f"e{exponent}" if exponent else ""))
        self.is_decimal |= "." in text.rstrip(".") or bool(exponent)
        mixed = self._mixed_part() if "." not in text and not exponent else None
        total = number + mixed if mixed is not None else number
        return lambda _: total

    def _mixed_part(self) -> Fraction | None:
        """The fraction of "1 2/3", if one follows."""
        following = self._tokens[self._at : self._at + 3]
        if [kind for kind, _, _ in following] != ["number", "op", "number"] or following[1][1] != "/":
            return None
        top, bottom = following[0][1], following[2][1]
        if not following[0][2] or not top.isdigit() or not bottom.isdigit() or int(top) >= int(bottom):
            return None
        self._at += 3
        return Fraction(int(top), int(bottom))

    def _named(self, name: str) -> Tree:
        if name == "root":
            return self._root()
        if name in FUNCTIONS:
            return self._function(name)
        if re.fullmatch(r"log_\d{1,9}", name):
            return self._logarithm(Fraction(name[4:]))
        if name in CONSTANTS:
            constant = CONSTANTS[name]
            return lambda _: constant
        self.variables.add(name)
        return lambda env: env[name]

    def _root(self) -> Tree:
        if not self._take("("):
            raise ParseError("missing (")
        degree = self._sum()
        if not self._take(","):
            raise ParseError("missing ,")
        radicand = self._sum()
        if not self._take(")"):
            raise ParseError("missing )")
        return lambda env: real_root(radicand(env), degree(env))

    def _function(self, name: str) -> Tree:
        function = FUNCTIONS[name]
        exponent = self._signed() if self._take("^") else None
        # "sin 2x" takes the product, "sqrt 2 x" only the next factor.
        operand = self._power() if self._peek() == "(" or name == "sqrt" else self._product()
        if exponent is None:
            return lambda env: apply(name, function, operand(env))
        return lambda env: power(apply(name, function, operand(env)), exponent(env))

    def _logarithm(self, base: Number) -> Tree:
        operand = self._power() if self._peek() == "(" else self._product()
        return lambda env: cmath.log(to_complex(operand(env))) / cmath.log(to_complex(base))

    def _binary(
        self,
        operator: str,
        left: Tree,
        right: Tree,
    ) -> Tree:
        if operator == "+-":
            self.has_plus_minus = True
            return lambda env: add(left(env), multiply(env.get("+-", Fraction(1)), right(env)))
        operation = OPERATIONS[operator]
        return lambda env: operation(left(env), right(env))
