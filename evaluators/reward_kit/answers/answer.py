"""
What an answer can be.

    "x = 5"              ->  Quantity(5, name="x")
    "28.27 cm^2"         ->  Quantity(28.27, unit=cm^2)
    "2, 3", "x=2 or x=3" ->  Collection("list", 2, 3)
    "[1, 2)"             ->  Collection("[)", 1, 2)
    "x^2 + y^2 = 25"     ->  Equation(x^2 + y^2, 25)
    "22/7 ≈ 3.14"        ->  Alternatives(22/7, 3.14)
    "the mitochondria"   ->  Words("the mitochondria")
"""

from __future__ import annotations

from dataclasses import dataclass

from .expression import Expression
from .units import Unit


@dataclass(frozen=True)
class Quantity:
    """An expression, perhaps with a unit and the name it was given."""

    expression: Expression
    unit: Unit | None = None
    unit_text: str = ""
    is_ambiguous: bool = False
    """A letter stuck to the number ("5m"), which may be a unit or a variable."""
    name: str = ""


@dataclass(frozen=True)
class Collection:
    """Several answers: `list` (bare), `set`, `union`, or the two brackets of a tuple or interval."""

    shape: str
    parts: tuple[Answer, ...]


@dataclass(frozen=True)
class Equation:
    """A relation between two expressions, neither of which is the answer by itself."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Alternatives:
    """The same value written in several ways."""

    parts: tuple[Answer, ...]


@dataclass(frozen=True)
class Words:
    """An answer that is not mathematical."""

    text: str


Answer = Quantity | Collection | Equation | Alternatives | Words
