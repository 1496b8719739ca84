"""
From LaTeX and Unicode to the plain notation that `expression.py` reads.

    \\dfrac{1}{2}            ->  ((1)/(2))
    6.022 × 10²³            ->  6.022 * 10^(23)
    $28.27\\text{ cm}^2$     ->  28.27 cm^2
"""

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n", strict=True))
_CHARACTERS = {
    "−": "-", "–": "-", "‐": "-", "‑": "-", "×": " * ", "·": "*", "∙": "*", "⋅": "*", "✕": " * ",
    "÷": "/", "⁄": "/", "∕": "/", "π": " pi ", "∞": " inf ", "≈": " ~ ", "≅": " ~ ",
    "±": " +- ", "∓": " +- ",
    "≤": " <= ", "≥": " >= ", "≠": " != ", "∪": " cup ", "∈": " in ", "′": "'",
    "µ": "μ", "Ω": "Ω", "√": " sqrt ",
    "（": "(", "）": ")", "，": ",", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    "\u2002": " ", "\u2003": " ",
    "⟨": "(", "⟩": ")", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
_COMMANDS = {
    "times": " * ", "cdot": " * ", "ast": " * ", "div": " / ", "pm": " +- ", "mp": " +- ", "pi": " pi ",
    "infty": " inf ", "approx": " ~ ", "simeq": " ~ ", "cong": " ~ ",
    "le": " <= ", "leq": " <= ", "leqslant": " <= ",
    "ge": " >= ", "geq": " >= ", "geqslant": " >= ", "ne": " != ", "neq": " != ", "lt": " < ", "gt": " > ",
    "cup": " cup ", "in": " in ", "degree": "°", "circ": "°", "ldots": "...", "dots": "...", "cdots": "...",
    "lbrace": "{", "rbrace": "}", "langle": "(", "rangle": ")", "lvert": "|", "rvert": "|", "vert": "|",
    "left": "", "right": "", "big": "", "Big": "", "bigl": "", "bigr": "", "Bigl": "", "Bigr": "",
    "displaystyle": "", "limits": "", "quad": " ", "qquad": " ", "space": " ", "hline": "", "boldsymbol": "",
    "implies": " ; ", "Rightarrow": " ; ", "therefore": " ", "ell": "L", "mu": "μ", "Omega": "Ω",
    "prime": "'",
    "emptyset": "∅", "varnothing": "∅", "colon": ":", "lfloor": "(", "rfloor": ")",
}  # fmt: skip
_TEXT_COMMANDS = (
    "text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|mbox|operatorname|textnormal|bm|mathbb|boxed|fbox|"
    "vec|underline|overrightarrow|overline|bar|hat|widehat"
)
_GREEK_NAMES = "alpha beta gamma delta epsilon zeta eta theta lambda nu xi rho sigma tau phi chi psi omega"
_GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθλνξρστφχψω", strict=True))
_FUNCTIONS = "sqrt|sin|cos|tan|sec|csc|cot|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp"
# How many braces a LaTeX answer may nest; beyond this it is not an answer but an attack.
_MAX_NESTING = 20


def normalize(text: str) -> str:
    """Rewrite an answer in plain notation; what is not mathematics passes through."""
    text = _strip_markup(text)
    text = _latex(text) if re.search(r"[\\$]|[\^_]\{|\{,\}", text) else text
    text = _unicode(text)
    text = re.sub(r"(?<=\d)\s*[xX]\s*(?=10\s*(?:\^|\*\*))", " * ", text)
    text = text.replace("**", "^")
    text = re.sub(r"\b(sin|cos|tan)\s*\^\s*\(?-1\)?", r"arc\1", text)
    text = re.sub(r"\s+", " ", text).strip()
    return _strip_punctuation(text)


def braced(text: str, start: int) -> int:
    """Return the index of the brace that closes the one at `start`, or -1."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] == "{" and (index == 0 or text[index - 1] != "\\"):
            depth += 1
        elif text[index] == "}" and text[index - 1] != "\\":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _strip_markup(text: str) -> str:
    text = text.strip()
    text = re.sub(r"^(?:\*\*|__|`+)(.+?)(?:\*\*|__|`+)([.,;:!]?)$", r"\1\2", text, flags=re.DOTALL)
    # Bold runs inside a sentence: **x** has a boundary on the outside, a power has digits on both.
    return re.sub(r"(?<![\w)])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w(])", r"\1", text)


def _latex(text: str) -> str:
    text = _matrix(text)
    for opening, closing in (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)")):
        text = text.replace(opening, " ").replace(closing, " ")
    text = _dollars(text)
    text = text.replace("{,}", ",")
    text = re.sub(r",\\!\s*", ",", text).replace("\\!", "").replace("\\%", "%")
    text = re.sub(r"(?<=\d),?\\[,;: ](?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"\\[,;:> ]|~", " ", text)
    text = text.replace("\\{", " ⦃").replace("\\}", "⦄ ")
    text = re.sub(r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?", "°", text)
    text = _groups(text)
    text = re.sub(r"\\([a-zA-Z]+)\*?", _command, text)
    text = text.replace("{", "(").replace("}", ")").replace("⦃", "{").replace("⦄", "}")
    return re.sub(r"\s+(?=[\^_])", "", text.replace("\\", " "))


def _dollars(text: str) -> str:
    """Drop dollar signs that delimit mathematics, keep the ones that mean money."""
    text = text.replace("\\$", "＄")
    if text.count("$") % 2 == 0:
        text = text.replace("$", " ")
    elif re.search(r"\d\s*\$$", text):
        text = text[: text.rindex("$")]
    return text.replace("＄", "$")


def _matrix(text: str) -> str:
    """Write a matrix as a tuple of its rows."""
    return re.sub(
        r"\\begin\s*\{([pbvB]?matrix)\}(.*?)\\end\s*\{\1\}",
        lambda match: _rows(match.group(2)),
        text,
        flags=re.DOTALL,
    )


def _rows(body: str) -> str:
    rows = [row for row in re.split(r"\\\\(?:\[[^\]]*\])?", body) if row.strip()]
    return " (" + ", ".join("(" + row.replace("&", ",") + ")" for row in rows) + ") "


def _groups(text: str) -> str:
    """Resolve the commands that take arguments, innermost first."""
    text = re.sub(r"\\[dtc]frac\b|\\frac(?=[\s\d{\\a-zA-Z])", r"\\frac", text)
    text = re.sub(r"\\[dtc]frac", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*(\d)\s*\{", r"\\frac{\1}{", text)
    text = re.sub(r"(\\frac\s*\{[^{}]*\})\s*([a-zA-Z\d])", r"\1{\2}", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = re.sub(r"\\sqrt\s*\[\s*(\d+)\s*\]\s*(\w)", r"\\sqrt[\1]{\2}", text)
    text = re.sub(r"(\d*)\.(\d*)\s*\\overline\s*\{(\d+)\}", _repeating, text)
    for _ in range(_MAX_NESTING):
        before = text
        text = re.sub(rf"\\(?:{_TEXT_COMMANDS})\s*\{{([^{{}}]*)\}}", r" \1", text)
        text = re.sub(r"(\d)\s*\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", _mixed, text)
        text = re.sub(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))", text)
        text = re.sub(r"\\[dt]?binom\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)!/((\2)!*((\1)-(\2))!))", text)
        text = re.sub(r"\\sqrt\s*\[([^\[\]]*)\]\s*\{([^{}]*)\}", r" root(\1, \2)", text)
        text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r" sqrt(\1)", text)
        text = re.sub(r"([\^_])\s*\{([^{}]*)\}", r"\1(\2)", text)
        if text == before:
            return text
    return text


def _mixed(match: re.Match[str]) -> str:
    whole, top, bottom = match.groups()
    if top.strip().isdigit() and bottom.strip().isdigit():
        return f"{whole} {top.strip()}/{bottom.strip()}"
    return f"{whole}(({top})/({bottom}))"


def _repeating(match: re.Match[str]) -> str:
    """Write 0.1(6) as the fraction that it is: 1.6(6) less 0.1, over 9 tenths."""
    whole, fixed, repeated = match.groups()
    shift, nines = 10 ** len(fixed), 10 ** len(repeated) - 1
    top = int(whole + fixed + repeated or "0") - int(whole + fixed or "0")
    return f"({top}/{shift * nines})"


def _command(match: re.Match[str]) -> str:
    name = match.group(1)
    if re.fullmatch(_FUNCTIONS, name):
        return f" {name} "
    return _COMMANDS.get(name) or _GREEK.get(name) or ("" if name in _COMMANDS else f" {name} ")


def _unicode(text: str) -> str:
    text = re.sub(
        "[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ]+", lambda m: "^(" + "".join(_SUPERSCRIPTS[c] for c in m.group()) + ")", text
    )
    text = re.sub(r"√\s*(\d+(?:\.\d+)?|[a-zA-Z])", r" sqrt(\1)", text)
    text = re.sub("(\\d?)([¼½¾⅐-⅞])", _vulgar, text)
    return "".join(_CHARACTERS.get(character) or _digit(character) for character in text)


def _raised(match: re.Match[str]) -> str:
    return "^(" + "".join(_SUPERSCRIPTS[character] for character in match.group()) + ")"


def _vulgar(match: re.Match[str]) -> str:
    whole, fraction = match.groups()
    top, _, bottom = unicodedata.normalize("NFKC", fraction).partition("⁄")
    return f"{whole} {top}/{bottom}" if whole else f"{top}/{bottom}"


def _digit(character: str) -> str:
    # Full-width and other scripts' digits read like ours.
    return str(unicodedata.digit(character)) if ord(character) > 127 and character.isdecimal() else character


def _strip_punctuation(text: str) -> str:
    text = text.strip().rstrip(".,;:").strip() if not text.endswith("...") else text
    return re.sub(r"^[:=~]\s*", "", text).strip()
