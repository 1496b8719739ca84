"""
Finding the final answer in a response.

The places are searched in the order in which they commit the writer: a box, an answer tag, the
"####" of GSM8K, the words "the answer is", a concluding sentence, and at last the last number.
"""

from __future__ import annotations

import re

from .answer import Quantity
from .expression import EvaluationError, ParseError, parse
from .normalize import braced, normalize
from .reading import read
from .units import parse_unit

# An answer stands at the end and is short; what is longer only costs time, perhaps on purpose.
MAX_TEXT = 30_000
MAX_SENTENCE = 1_000
MAX_BOXES = 20

_ANSWER_PHRASE = re.compile(
    r"(?:final\s+|correct\s+)?\banswer\b[*_\s]*(?:is|are|was|would be|will be|=|:|equals|\n)[\s:*_]*",
    re.IGNORECASE,
)
_CONCLUSION = re.compile(
    r"\b(?:therefore|thus|hence|so|consequently|in conclusion|finally|answer|solution|solutions|result|"
    r"in total|altogether|total|we get|we have|we find|we obtain|gives?)\b|∴|\\therefore",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"=|~|:|,|\b(?:is|are|was|were|be|equals?|has|have|had|gives?|gets?|yields?|needs?|costs?|makes?|becomes?|"
    r"therefore|thus|hence|so|that|of|to|at|get|got|find|obtain|about|approximately|earns?|spends?|pays?|takes?)\b",
    re.IGNORECASE,
)
_SUMMED_UP = re.compile(r"([^,;]*)\b(?:in total|altogether|in all)\W*$", re.IGNORECASE)
_AFTERWORD = re.compile(
    r"\W*(?:note|remark|hint|source|let me know|i hope|hope this|feel free|if you|please)\b", re.IGNORECASE
)
_RUN = re.compile(
    r"(?:(?<![\w)\]])[-+]\s?)?[$€£]?(?:(?<![\w.])\d|(?<![\w])\.\d|\bsqrt\b|\bpi\b|(?<!\w)\()"
    r"(?:[\d.,+\-*/^()!%\s]|sqrt\b|pi\b){0,80}"
)
_FOLLOWING_UNIT = re.compile(
    r"\s*((?:square |cubic |sq |cu )?[A-Za-zμΩ°%$€£¢]+(?:\^\(?-?\d+\)?)?"
    r"(?:\s*(?:/|\*|per)\s*[A-Za-z]+(?:\^\(?-?\d+\)?)?)*)"
)


def final_answer(response: str, boxed_only: bool = False) -> str | None:
    """
    Return the text of the final answer, or None.

        final_answer("80 × 0.15 = 12\\n\\nTherefore, 15% of 80 is 12.")  ->  "12"
    """
    text = _after_thinking(response)[-MAX_TEXT:]
    boxed = last_boxed(text)
    if boxed is not None or boxed_only:
        return boxed
    return _tagged(text) or _from_answer_phrase(text) or _from_conclusion(text) or _last_resort(text)


def last_boxed(text: str) -> str | None:
    """Return what the last box holds; boxes joined by a comma or a word count as one."""
    boxes: list[tuple[int, int, str]] = []
    for match in list(re.finditer(r"\\(?:boxed|fbox)\s*(\{)", text))[-MAX_BOXES:]:
        end = braced(text, match.start(1))
        if end > 0 and not (boxes and match.start() < boxes[-1][1]):
            boxes.append((match.start(), end + 1, text[match.end() : end]))
    if not boxes:
        return None
    found = [boxes[-1][2]]
    for previous, current in zip(reversed(boxes[:-1]), reversed(boxes[1:]), strict=True):
        if not re.fullmatch(
            r"[\s,;$]*(?:\\text\{)?\s*(?:and|or)?\s*\}?[\s,;$]*", text[previous[1] : current[0]]
        ):
            break
        found.insert(0, previous[2])
    return ", ".join(found).strip()


def quantities(text: str) -> list[tuple[int, str]]:
    """List the numbers in plain text with their position, each with the unit that follows it."""
    found = []
    for match in _RUN.finditer(text):
        number = _longest_number(match.group())
        if not number:
            continue
        end = match.start() + len(match.group()) - len(match.group().lstrip()) + len(number)
        unit = _FOLLOWING_UNIT.match(text, end)
        if unit and _is_unit(unit.group(1), text[unit.end() :]):
            number = text[end - len(number) : unit.end()]
        elif re.match(r"[A-Za-z_]", text[end:]):
            continue  # a coefficient or a part of a word
        found.append((match.start(), number.strip()))
    return found


def _after_thinking(text: str) -> str:
    _, closed, rest = text.rpartition("</think>")
    return rest if closed and rest.strip() else text


def _tagged(text: str) -> str | None:
    tagged = last_tagged(text)
    if tagged:
        return final_answer_of_sentence(tagged) or tagged
    marked = re.findall(r"####\s*([^\n]+)", text)
    return str(marked[-1]).strip() if marked else None


def last_tagged(text: str) -> str | None:
    """Return what the last <answer> tag holds."""
    lowered = text.lower()
    end = lowered.rfind("</answer>")
    start = lowered.rfind("<answer>", 0, max(end, 0))
    return text[start + len("<answer>") : end].strip() if start >= 0 else None


def final_answer_of_sentence(sentence: str) -> str | None:
    """Return the part of one sentence that states its result."""
    plain = normalize(sentence[-MAX_SENTENCE:])
    cuts = [0, *(match.end() for match in _VERB.finditer(plain))]
    for cut in cuts:
        tail = plain[cut:].strip()
        if tail and re.search(r"[\d(){}\[\]]|pi\b|^[-+]?[A-Za-z]$|inf\b", tail) and read(tail) is not None:
            return tail
    summed = _SUMMED_UP.search(plain)
    if summed and (numbers := quantities(summed.group(1))):
        return numbers[-1][1]
    for cut in reversed(cuts):
        numbers = quantities(plain[cut:])
        if numbers:
            position, number = numbers[0]
            tail = plain[cut + position :].strip()
            # "3 hours 20 minutes" is one quantity, which only reads as a whole.
            return tail if len(numbers) > 1 and _is_quantity(tail) else number
    return None


def _is_quantity(text: str) -> bool:
    return isinstance(read(text), Quantity)


def _from_answer_phrase(text: str) -> str | None:
    for match in reversed(list(_ANSWER_PHRASE.finditer(text))):
        tail = _sentences(text[match.end() :])
        if tail:
            return final_answer_of_sentence(tail[0]) or _short_words(tail[0])
    return None


def _short_words(sentence: str) -> str | None:
    plain = normalize(sentence) if len(sentence) <= MAX_SENTENCE else ""
    return plain if 0 < len(plain) <= 80 else None


def _from_conclusion(text: str) -> str | None:
    for sentence in reversed(_sentences(text)):
        if _CONCLUSION.search(sentence):
            found = final_answer_of_sentence(sentence)
            if found:
                return found
    return None


def _last_resort(text: str) -> str | None:
    sentences = [sentence for sentence in _sentences(text) if not _AFTERWORD.match(sentence)]
    if not sentences:
        return None
    found = final_answer_of_sentence(sentences[-1])
    if found:
        return found
    numbers = quantities(normalize("\n".join(sentences)[-MAX_SENTENCE:]))
    if numbers:
        return numbers[-1][1]
    return _short_words(text)


def _sentences(text: str) -> list[str]:
    for opening, closing in ((r"\$\$", r"\$\$"), (r"\\\[", r"\\\]"), (r"\\begin\{", r"\\end\{")):
        if not re.search(closing, text):
            continue
        text = re.sub(
            f"{opening}.{{0,2000}}?{closing}", lambda m: m.group().replace("\n", " "), text, flags=re.DOTALL
        )
    parts = re.split(r"(?<=[.!?])(?:\*\*)?\s+(?=[^a-z])|\n+", text)
    return [part.strip() for part in parts if re.search(r"\w", part)]


def _longest_number(run: str) -> str:
    run = run.strip()
    while run:
        run = run.rstrip(" ,.+-*/^(")
        try:
            parse(run.replace("$", "").replace("€", "").replace("£", "")).value()
            return run
        except (ParseError, EvaluationError, RecursionError):
            run = run[:-1]
    return ""


def _is_unit(text: str, rest: str) -> bool:
    if text in ("in", "a", "at", "A", "K", "C", "F", "T") and re.match(r"\s+\w", rest):
        return False  # the English word, as in "5 in total"
    return parse_unit(text) is not None
