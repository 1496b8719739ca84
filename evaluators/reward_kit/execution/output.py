"""
Comparing what a program printed with what it should have printed.

    1.0   the same, up to white space at line ends and the last digit of a float
    0.99  at most: a number that is close, but not the same
    less  the share of a list or of lines that agree
"""

from __future__ import annotations

import ast
import json
import math
from typing import Any

EXACT_RELATIVE = 1e-9
"""Floats that differ by less print differently only because they were computed differently."""
NEAR_MISS = 0.99
"""The most that a number can get which is not the expected one."""

MAX_DIGITS = 1000
"""Longer runs of digits are compared as text."""

_LITERALS = {"true": "true", "false": "false", "none": "null", "null": "null"}


def output_similarity(actual: str, expected: str) -> float:
    """
    Say how far an output is the expected one, from 0.0 to 1.0.

        output_similarity("[1, 2, 3, 4]", "[1, 2, 3]")  ->  0.75
    """
    actual_lines, expected_lines = normalize_output(actual), normalize_output(expected)
    if actual_lines == expected_lines:
        return 1.0
    if not actual_lines or not expected_lines:
        return 0.0
    if len(actual_lines) == len(expected_lines) == 1:
        return _line_similarity(actual_lines[0], expected_lines[0])
    whole = _structure_similarity("\n".join(actual_lines), "\n".join(expected_lines))
    if whole is not None:
        return whole
    pairs = zip(actual_lines, expected_lines, strict=False)
    total = sum(_line_similarity(a, e) for a, e in pairs)
    return total / max(len(actual_lines), len(expected_lines))


def outputs_match(actual: str, expected: str) -> bool:
    """Tell whether an output is the expected one."""
    return output_similarity(actual, expected) == 1.0


def normalize_output(text: str) -> list[str]:
    """Split into lines without the white space that cannot be seen, and without empty lines around."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    # Languages spell the same literal differently: True in Python is true in JavaScript.
    return [_LITERALS.get(line.strip().lower(), line) for line in lines]


def _line_similarity(actual: str, expected: str) -> float:
    if actual.strip() == expected.strip():
        return 1.0
    numbers = _number(actual), _number(expected)
    if numbers[0] is not None and numbers[1] is not None:
        return _number_similarity(numbers[0], numbers[1])
    structure = _structure_similarity(actual, expected)
    return structure if structure is not None else _text_similarity(actual, expected)


def _number(text: str) -> int | float | None:
    if "_" in text or len(text) > MAX_DIGITS:
        return None
    for kind in (int, float):
        try:
            number: int | float = kind(text)
            return number
        except ValueError:
            continue
    return None


def _number_similarity(actual: int | float, expected: int | float) -> float:
    if actual == expected:
        return 1.0
    try:
        return _unequal_similarity(float(actual), float(expected))
    except OverflowError:  # integers beyond the range of floats
        return 0.0


def _unequal_similarity(actual: float, expected: float) -> float:
    if math.isnan(actual) and math.isnan(expected):
        return 1.0
    if not (math.isfinite(actual) and math.isfinite(expected)):
        return 0.0
    both_whole = actual.is_integer() and expected.is_integer()
    size = max(abs(expected), abs(actual))
    if not both_whole and abs(actual - expected) <= EXACT_RELATIVE * size:
        return 1.0
    difference = abs(actual - expected) / abs(expected) if expected else abs(actual)
    return min(NEAR_MISS, max(0.0, 1.0 - difference))


def _structure_similarity(actual: str, expected: str) -> float | None:
    """Compare lists and objects; None unless both texts are one."""
    got, wanted = _structure(actual), _structure(expected)
    if got is None or wanted is None:
        return None
    return _value_similarity(got, wanted)


def _structure(text: str) -> Any:
    text = text.strip()
    if not text or text[0] not in "[({" or len(text) > 100_000:
        return None
    for reader in (json.loads, ast.literal_eval):
        try:
            value = reader(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, (list, tuple, dict, set)):
            return value
    return None


def _value_similarity(actual: Any, expected: Any) -> float:
    if isinstance(actual, bool) or isinstance(expected, bool):
        return 1.0 if actual is expected else 0.0
    if isinstance(actual, (int, float)) and isinstance(expected, (int, float)):
        return 1.0 if _number_similarity(actual, expected) == 1.0 else 0.0
    if isinstance(actual, dict) and isinstance(expected, dict):
        return _dict_similarity(actual, expected)
    if isinstance(actual, set) and isinstance(expected, set):
        return len(actual & expected) / len(actual | expected) if actual | expected else 1.0
    if isinstance(actual, (list, tuple)) and isinstance(expected, (list, tuple)):
        return _list_similarity(list(actual), list(expected))
    return 1.0 if actual == expected else 0.0


def _dict_similarity(actual: dict[Any, Any], expected: dict[Any, Any]) -> float:
    keys = actual.keys() | expected.keys()
    shared = actual.keys() & expected.keys()
    return sum(_value_similarity(actual[key], expected[key]) for key in shared) / len(keys) if keys else 1.0


def _list_similarity(actual: list[Any], expected: list[Any]) -> float:
    """The longest common subsequence, as a share of the longer list."""
    if not actual and not expected:
        return 1.0
    if max(len(actual), len(expected)) > 1000:
        same = sum(_value_similarity(a, e) for a, e in zip(actual, expected, strict=False))
        return same / max(len(actual), len(expected))
    row = [0.0] * (len(expected) + 1)
    for got in actual:
        previous = row[:]
        for index, wanted in enumerate(expected):
            taken = previous[index] + _value_similarity(got, wanted)
            row[index + 1] = max(taken, previous[index + 1], row[index])
    return row[-1] / max(len(actual), len(expected))


def _text_similarity(actual: str, expected: str) -> float:
    """The shared pairs of neighbouring characters, as a share of all."""
    if len(actual) < 2 or len(expected) < 2:
        return 0.0
    got = {actual[i : i + 2] for i in range(len(actual) - 1)}
    wanted = {expected[i : i + 2] for i in range(len(expected) - 1)}
    # Texts that differ may still have the same pairs; only equal ones may score 1.0.
    return min(NEAR_MISS, len(got & wanted) / len(got | wanted))
