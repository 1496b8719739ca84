"""
Reading the text of an answer.

A text is tried as one form after another, the most telling first: a compound quantity, several
statements, a union, named values, a relation, something in brackets, a list, and a quantity.
"""

from __future__ import annotations

import re
from dataclasses import replace

from .answer import Alternatives, Answer, Collection, Equation, Quantity, Words
from .expression import KNOWN_NAMES, MAX_LENGTH, EvaluationError, Expression, ParseError, parse
from .normalize import normalize
from .units import parse_unit

# A longer answer is no mathematics.
MAX_TEXT = 2_000

_WORDS_FROM_ZERO = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_WORDS_FROM_ZERO.split())}
_MAGNITUDES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_HEDGES = r"^(?:approximately|approx\.?|about|around|roughly|nearly|exactly|only|just|a total of|equals?)\s+"
# Short words that would otherwise read as products of variables.
_ENGLISH = (
    " is of to in on at by and or the for no yes not are was be as an it so if we he me my all any day one "
    "two six ten out per you can has had but its who how too may "
)
_RELATION = re.compile(r"<=|>=|!=|=|<|>|~|(?<= )in(?= [\[({])")
_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_CURRENCY = "$€£"


def parse_answer(text: str) -> Answer:
    """Read an answer; what is not mathematical becomes `Words`."""
    plain = plain_text(text)
    return read(plain) or Words(plain)


def plain_text(text: str) -> str:
    """Write an answer in plain notation; a text too long to be mathematics stays as it is."""
    return normalize(text) if len(text) <= MAX_TEXT else text.strip()


def read(text: str) -> Answer | None:
    """Read plain notation as mathematics, or return None."""
    text = _unwrap(text.strip())
    if not text or len(text) > MAX_LENGTH:
        return None
    if text in ("∅", "{}"):
        return Collection("set", ())
    for reader in (_compound, _statements, _union, _named_values, _relation, _bracketed, _bare_list):
        found = reader(text)
        if found is not None:
            return found
    return _quantity(text)


def split_top(text: str, pattern: str) -> list[str]:
    """Split where the pattern matches outside of brackets."""
    parts, start, depth, index = [], 0, 0, 0
    compiled = re.compile(pattern)
    while index < len(text):
        character = text[index]
        depth += (character in "([{") - (character in ")]}")
        match = compiled.match(text, index) if depth == 0 else None
        if match and match.end() > index:
            parts.append(text[start:index])
            start = index = match.end()
        else:
            index += 1
    return [part.strip() for part in [*parts, text[start:]]]


def _unwrap(text: str) -> str:
    """Drop brackets around the whole that hold a single thing."""
    while text.startswith("(") and _closes_at_end(text) and len(split_top(text[1:-1], ",")) == 1:
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return index == len(text) - 1
    return False


def _compound(text: str) -> Answer | None:
    """ "2 hours 30 minutes" """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)(?:\s*,?\s*and\s+|\s*,\s*|\s+|$)", text)
    if len(parts) < 2 or re.sub(r"[\d.\s,]|and|[A-Za-z]", "", text):
        return None
    units = [parse_unit(unit) for _, unit in parts]
    first = units[0]
    if first is None or any(unit is None or unit.dimension != first.dimension for unit in units):
        return None
    if len("".join(n + u for n, u in parts)) != len(re.sub(r"\s|,|\band\b", "", text)):
        return None
    total = " + ".join(
        f"{n} * ({u.factor / first.factor})" for (n, _), u in zip(parts, units, strict=True) if u
    )
    return Quantity(parse(total), first, first.label)


def _statements(text: str) -> Answer | None:
    parts = split_top(text, r",?\s+(?:or|and)\s+|\s*;\s*")
    if len(parts) < 2:
        return None
    # "2, 3 and 5": the commas before the last word separate too.
    parts = [piece for part in parts if part for piece in _commas(part)]
    return _collect("list", parts)


def _union(text: str) -> Answer | None:
    parts = split_top(text, r"\s*\bcup\b\s*")
    return _collect("union", parts) if len(parts) > 1 else None


def _bracketed(text: str) -> Answer | None:
    if text[0] not in "([{" or text[-1] not in ")]}" or not _closes_at_end(text):
        return None
    inside = text[1:-1].strip()
    parts = _commas(inside) if inside else []
    if text[0] == "{":
        return _collect("set", parts)
    return _collect(text[0] + text[-1], parts) if len(parts) > 1 or text[0] == "[" else None


def _named_values(text: str) -> Answer | None:
    """ "a = 3, b = 4" """
    parts = split_top(text, r",")
    named = len(parts) > 1 and all(re.match(r"[^=]*[^=<>!]=[^=]", part) for part in parts)
    return _collect("list", parts) if named else None


def _bare_list(text: str) -> Answer | None:
    parts = _commas(text)
    return _collect("list", parts) if len(parts) > 1 else None


def _commas(text: str) -> list[str]:
    """Split at the commas that are not those of 1,234,567."""
    if re.fullmatch(r"[-+$€£\s]*\d{1,3}(?:,\d{3})+(?:\.\d+)?\D*", text) and text.count(",") == len(
        re.findall(r",\d{3}(?!\d)", text)
    ):
        return [text.strip()]
    return split_top(text, r",(?!\d{3}(?!\d))|(?<!\d),|,(?=\s)")


def _collect(shape: str, parts: list[str]) -> Answer | None:
    read_parts = [read(part) for part in parts]
    answers = tuple(part for part in read_parts if part is not None and not _is_clause(part))
    return Collection(shape, answers) if len(answers) == len(parts) else None


def _is_clause(answer: Answer) -> bool:
    """Tell "120 pages in total", a piece of a sentence, from "120 pages"."""
    return isinstance(answer, Quantity) and answer.unit is None and len(answer.unit_text.split()) > 2


def _relation(text: str) -> Answer | None:
    pieces = split_top(text, _RELATION.pattern)
    operators = [m.group() for m in _RELATION.finditer(text) if _depth_at(text, m.start()) == 0]
    if len(pieces) < 2 or len(operators) != len(pieces) - 1 or not pieces[-1]:
        return None
    if set(operators) <= {"="}:
        return _equality(pieces)
    if set(operators) <= {"=", "~"}:
        values = [read(piece) for piece in _values(pieces, operators)]
        found = tuple(value for value in values if value is not None)
        return Alternatives(found) if found and values[-1] is not None else None
    if operators == ["in"]:
        return read(pieces[1])
    return _inequality(pieces, operators)


def _depth_at(text: str, position: int) -> int:
    head = text[:position]
    return sum(head.count(c) for c in "([{") - sum(head.count(c) for c in ")]}")


def _values(pieces: list[str], operators: list[str]) -> list[str]:
    """Of "x = 22/7 ~ 3.14" the pieces that state the value: around each "~"."""
    first = operators.index("~")
    return [piece for piece in pieces[first:] if piece]


def _equality(pieces: list[str]) -> Answer | None:
    value = read(pieces[-1])
    left = pieces[0]
    if not _can_be_left_side(left):
        return None
    name = left if re.fullmatch(r"[A-Za-zα-ω](?:_\w+|_\(\w+\))?'?", left) else ""
    if isinstance(value, Quantity):
        sides = _expression(left)
        if not name and sides is not None and sides.variables and not _is_call(left):
            return Equation("=", sides, value.expression) if not value.unit_text else None
        return replace(value, name=name)
    return value


def _can_be_left_side(text: str) -> bool:
    """Tell "area" and "2x + 1" from the beginning of a sentence that happens to hold an equation."""
    is_label = len(text.split()) <= 3 and not re.search(r"[\d,]", text)
    return is_label or _expression(text) is not None


def _is_call(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z]'*\s*\((?:[a-z]|-?\d+(?:\.\d+)?)\)", text) is not None


def _inequality(pieces: list[str], operators: list[str]) -> Answer | None:
    if len(pieces) == 3 and set(operators) <= {"<", "<="}:
        return _interval(pieces[0], pieces[2], operators[0], operators[1])
    if len(pieces) == 3 and set(operators) <= {">", ">="}:
        return _interval(pieces[2], pieces[0], operators[1], operators[0])
    if len(pieces) != 2:
        return None
    left, operator, right = pieces[0], operators[0], pieces[1]
    if re.fullmatch(r"[a-zA-Z]", right):
        left, operator, right = right, _MIRRORED.get(operator, operator), left
    if re.fullmatch(r"[a-zA-Z]", left) and operator in _MIRRORED:
        return (
            _interval("-inf", right, "<", operator)
            if operator[0] == "<"
            else _interval(right, "inf", operator, "<")
        )
    if operator.startswith(">"):
        left, operator, right = right, _MIRRORED[operator], left
    sides = _expression(left), _expression(right)
    return Equation(operator, sides[0], sides[1]) if sides[0] and sides[1] else None


def _interval(low: str, high: str, low_operator: str, high_operator: str) -> Answer | None:
    """Write -1 < x <= 3 as (-1, 3]."""
    brackets = ("[" if low_operator == "<=" or low_operator == ">=" else "(") + (
        "]" if high_operator in ("<=", ">=") else ")"
    )
    return _collect(brackets, [low, high])


def _quantity(text: str) -> Answer | None:
    text = re.sub(_HEDGES, "", text, flags=re.IGNORECASE)
    first, _, rest = text.partition(" ")
    if first.lower() in _NUMBER_WORDS:
        text = f"{_NUMBER_WORDS[first.lower()]} {rest}".strip()
    text = re.sub(r"°\s*(?=[CF]\b)", "°", text)
    text = re.sub(r"\bdegrees? (?=celsius|fahrenheit)", "", text, flags=re.IGNORECASE)
    text = re.sub(rf"(?<=\d)\s*({'|'.join(_MAGNITUDES)})\b", _magnitude, text, flags=re.IGNORECASE)
    if re.search(r"\b[ap]\.?m\.?$", text):
        return None  # a time of day
    money = re.match(rf"^([-+]?)\s*([{_CURRENCY}])\s*(?=[\d.])", text)
    if money:
        body = _quantity(money.group(1) + text[money.end() :])
        return _as_money(body, money.group(2)) if isinstance(body, Quantity) else None
    if re.fullmatch(r"[^A-Za-zα-ωμΩ°%$€£¢]*", text):
        expression = _expression(text)
        return Quantity(expression) if expression else None
    return _with_unit(text) or _bare(text)


def _magnitude(match: re.Match[str]) -> str:
    return f" * 10^{_MAGNITUDES[match.group(1).lower()]}"


def _as_money(amount: Quantity, sign: str) -> Quantity:
    """Give an amount its currency, also where "per day" follows."""
    unit = parse_unit(f"{sign} {amount.unit_text}") if amount.unit else parse_unit(sign)
    return replace(amount, unit=unit, unit_text=sign)


def _bare(text: str) -> Answer | None:
    expression = _expression(text)
    return Quantity(expression) if expression else None


def _with_unit(text: str) -> Quantity | None:
    for match in re.finditer(r"\s*(?=[A-Za-zμΩ°%$€£¢(]|/[A-Za-z])", text):
        head, tail = text[: match.start()], text[match.end() :]
        if not head or (match.end() and text[match.end() - 1].isalpha()):
            continue
        tail = tail[1:-1] if tail.startswith("(") and _closes_at_end(tail) else tail
        if tail.startswith("°") and re.search(r"sin|cos|tan|sec|csc|cot", head):
            continue  # the angle's degrees, not the value's
        unit = parse_unit(tail)
        if unit is None and not _is_noun(tail):
            continue
        expression = _expression(head)
        if expression is None or expression.variables:
            continue
        is_stuck = match.start() == match.end() and re.fullmatch(r"/?[A-Za-z]", tail) is not None
        if unit is None and is_stuck:
            continue
        return Quantity(expression, unit, tail.strip(), is_ambiguous=is_stuck)
    return None


def _is_noun(text: str) -> bool:
    words = text.split()
    return (
        0 < len(words) <= 6
        and len(words[0]) >= 2
        and re.fullmatch(r"[A-Za-z][A-Za-z' .-]*", text) is not None
        and not KNOWN_NAMES & set(words)
    )


def _expression(text: str) -> Expression | None:
    if not _looks_algebraic(text) or (":" in text and re.search("[A-Za-z]", text)):
        return None
    try:
        expression = parse(text)
        if not expression.variables:
            expression.value()
    except (ParseError, EvaluationError, RecursionError):
        return None
    return expression


def _looks_algebraic(text: str) -> bool:
    """Tell algebra such as "2xy + b" from prose such as "it is big"."""
    words = [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in KNOWN_NAMES]
    if re.fullmatch(r"[A-Za-z]{3,}", text) and words:
        return False
    if any(f" {word.lower()} " in _ENGLISH for word in words):
        return False
    if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", " ".join(text.split())) and words:
        return False
    return all(len(word) <= 3 or any(name in word for name in KNOWN_NAMES if len(name) > 2) for word in words)
