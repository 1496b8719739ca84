"""
Units of measurement: their dimension and their factor to a base unit.

    parse_unit("km/h")  ->  Unit(dimension={"m": 1, "s": -1}, factor=5/18)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_F = Fraction
# symbol or name: (factor, dimension). Names are given in the singular.
_BASE: dict[str, tuple[Fraction, str]] = {
    "m": (_F(1), "m"), "meter": (_F(1), "m"), "metre": (_F(1), "m"),
    "in": (_F("0.0254"), "m"), "inch": (_F("0.0254"), "m"), "inche": (_F("0.0254"), "m"),
    "ft": (_F("0.3048"), "m"), "foot": (_F("0.3048"), "m"), "feet": (_F("0.3048"), "m"),
    "yd": (_F("0.9144"), "m"), "yard": (_F("0.9144"), "m"),
    "mi": (_F("1609.344"), "m"), "mile": (_F("1609.344"), "m"),
    "g": (_F(1), "g"), "gram": (_F(1), "g"), "gm": (_F(1), "g"), "tonne": (_F(10**6), "g"),
    "lb": (_F("453.59237"), "g"), "pound": (_F("453.59237"), "g"),
    "oz": (_F("28.349523125"), "g"), "ounce": (_F("28.349523125"), "g"),
    "s": (_F(1), "s"), "sec": (_F(1), "s"), "second": (_F(1), "s"),
    "min": (_F(60), "s"), "minute": (_F(60), "s"), "h": (_F(3600), "s"), "hr": (_F(3600), "s"),
    "hour": (_F(3600), "s"), "day": (_F(86400), "s"), "week": (_F(604800), "s"),
    "month": (_F(1), "month"), "year": (_F(12), "month"), "yr": (_F(12), "month"),
    "A": (_F(1), "A"), "amp": (_F(1), "A"), "ampere": (_F(1), "A"),
    "K": (_F(1), "K"), "kelvin": (_F(1), "K"),
    "mol": (_F(1), "mol"), "mole": (_F(1), "mol"), "cd": (_F(1), "cd"),
    "L": (_F(1, 1000), "m3"), "l": (_F(1, 1000), "m3"), "liter": (_F(1, 1000), "m3"),
    "litre": (_F(1, 1000), "m3"),
    "Hz": (_F(1), "s-1"), "hertz": (_F(1), "s-1"),
    "N": (_F(1000), "g m s-2"), "newton": (_F(1000), "g m s-2"),
    "J": (_F(1000), "g m2 s-2"), "joule": (_F(1000), "g m2 s-2"), "cal": (_F(4184), "g m2 s-2"),
    "eV": (_F("1.602176634e-16"), "g m2 s-2"),
    "W": (_F(1000), "g m2 s-3"), "watt": (_F(1000), "g m2 s-3"),
    "Pa": (_F(1000), "g m-1 s-2"), "pascal": (_F(1000), "g m-1 s-2"), "atm": (_F(101325000), "g m-1 s-2"),
    "C": (_F(1), "A s"), "coulomb": (_F(1), "A s"),
    "V": (_F(1000), "g m2 s-3 A-1"), "volt": (_F(1000), "g m2 s-3 A-1"),
    "Ω": (_F(1000), "g m2 s-3 A-2"), "ohm": (_F(1000), "g m2 s-3 A-2"),
    "F": (_F(1, 1000), "g-1 m-2 s4 A2"), "farad": (_F(1, 1000), "g-1 m-2 s4 A2"),
    "T": (_F(1000), "g s-2 A-1"), "tesla": (_F(1000), "g s-2 A-1"),
    "°": (_F(1), "degree"), "degree": (_F(1), "degree"), "deg": (_F(1), "degree"),
    "rad": (_F(1), "radian"), "radian": (_F(1), "radian"),
    "°C": (_F(1), "celsius"), "celsius": (_F(1), "celsius"), "°F": (_F(1), "fahrenheit"),
    "fahrenheit": (_F(1), "fahrenheit"),
    "$": (_F(1), "dollar"), "dollar": (_F(1), "dollar"), "USD": (_F(1), "dollar"), "usd": (_F(1), "dollar"),
    "cent": (_F(1, 100), "dollar"), "¢": (_F(1, 100), "dollar"), "€": (_F(1), "euro"),
    "euro": (_F(1), "euro"),
    "EUR": (_F(1), "euro"), "£": (_F(1), "sterling"), "GBP": (_F(1), "sterling"),
    "%": (_F(1, 100), ""), "percent": (_F(1, 100), ""), "bit": (_F(1), "bit"), "byte": (_F(8), "bit"),
    "B": (_F(8), "bit"), "mph": (_F("0.44704"), "m s-1"), "acre": (_F("4046.8564224"), "m2"),
    "gallon": (_F("0.003785411784"), "m3"), "gal": (_F("0.003785411784"), "m3"),
}  # fmt: skip
_PREFIXES = {
    "p": -12, "n": -9, "μ": -6, "m": -3, "c": -2, "d": -1, "k": 3, "M": 6, "G": 9, "T": 12,
    "nano": -9, "micro": -6, "milli": -3, "centi": -2, "deci": -1,
    "kilo": 3, "mega": 6, "giga": 9, "tera": 12,
}  # fmt: skip
_TAKE_PREFIXES = (
    "m g s A mol L l Hz N J W Pa C V Ω F T cal eV bit B meter metre gram second liter litre hertz newton "
    "joule watt pascal volt ohm byte ampere mole"
)
_PREFIXED = frozenset(_TAKE_PREFIXES.split())
_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}


@dataclass(frozen=True)
class Unit:
    """A unit that can be converted to others of its dimension."""

    dimension: tuple[tuple[str, int], ...]
    factor: Fraction
    label: str

    @property
    def is_percent(self) -> bool:
        return not self.dimension and self.factor == Fraction(1, 100)


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit | None:
    """Read a unit; None when a part of it is unknown."""
    dimension: dict[str, int] = {}
    factor = Fraction(1)
    terms = _terms(text)
    for name, exponent in terms:
        known = _lookup(name)
        if known is None or abs(exponent) > 12:
            return None
        factor *= known[0] ** exponent
        for part, power in known[1].items():
            dimension[part] = dimension.get(part, 0) + power * exponent
    if not terms:
        return None
    present = tuple(sorted((part, power) for part, power in dimension.items() if power))
    return Unit(present, factor, text.strip())


def _terms(text: str) -> list[tuple[str, int]]:
    """Split into (unit name, exponent); an unreadable text gives a name that is no unit."""
    text = re.sub(r"\^\s*\(?\s*(-?\d+)\s*\)?", r"^\1", text.strip())
    text = re.sub(r"\b(?:per|an?(?= hour| minute| second| day))\b", "/", text)
    terms: list[tuple[str, int]] = []
    sign, pending = 1, 1
    for token in re.findall(r"[A-Za-zμΩ°%$€£¢]+(?:\^-?\d+)?|[/*·.()]|\S", text):
        if token == "/":
            sign = -1
        elif token in "*·.()":
            continue
        elif token in _POWERS and token in ("squared", "cubed") and terms:
            terms[-1] = (terms[-1][0], terms[-1][1] * _POWERS[token])
        elif token in _POWERS:
            pending = _POWERS[token]
        else:
            name, _, exponent = token.partition("^")
            terms.append((name, sign * pending * int(exponent or 1)))
            pending = 1
    return terms


def _lookup(name: str) -> tuple[Fraction, dict[str, int]] | None:
    for candidate in (name, name.lower(), name.removesuffix("s"), name.lower().removesuffix("s")):
        if candidate in _BASE and (len(candidate) > 2 or candidate in (name, name.removesuffix("s"))):
            factor, dimension = _BASE[candidate]
            return factor, _dimension(dimension)
    for prefix, power in sorted(_PREFIXES.items(), key=lambda item: -len(item[0])):
        base = name.removeprefix(prefix) if name.startswith(prefix) else ""
        base = base if base in _PREFIXED else base.removesuffix("s")
        if base in _PREFIXED:
            factor, dimension = _BASE[base]
            return factor * Fraction(10) ** power, _dimension(dimension)
    return None


def _dimension(text: str) -> dict[str, int]:
    parts = (re.fullmatch(r"([A-Za-z]+?)(-?\d+)?", part) for part in text.split())
    return {match[1]: int(match[2] or 1) for match in parts if match}
