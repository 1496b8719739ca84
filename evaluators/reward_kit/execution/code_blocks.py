"""Finding code in a Markdown answer."""

from __future__ import annotations

import re

_ALIASES = {
    "python": {"python", "py", "python3", "py3"},
    "javascript": {"javascript", "js", "node", "nodejs", "mjs"},
    "cpp": {"cpp", "c++", "cc", "cxx"},
    "c": {"c"},
    "lean": {"lean", "lean4", "lean3"},
}
_FENCE = re.compile(
    r"^[ \t]*(`{3,}+|~{3,}+)[ \t]*([^\s`]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL
)
_OPEN_FENCE = re.compile(r"^[ \t]*(?:`{3,}+|~{3,}+)[ \t]*([^\s`]*)[^\n]*\n(.*)\Z", re.MULTILINE | re.DOTALL)


def language_name(language: str) -> str:
    """Return the canonical name of a language: "js" is "javascript"."""
    lowered = language.strip().lower()
    return next((name for name, aliases in _ALIASES.items() if lowered in aliases), lowered)


def code_blocks(text: str, language: str | None = None) -> list[str]:
    """
    List the fenced blocks in a language, or those without a label when none has it.

        "Here:\\n```python\\nprint(1)\\n```"  ->  ["print(1)"]
    """
    text = text.replace("\r\n", "\n")
    blocks = [(language_name(label), code.strip("\n")) for _, label, code in _FENCE.findall(text)]
    if not blocks:
        # An answer that was cut off leaves its last fence open.
        blocks = [(language_name(label), code.strip("\n")) for label, code in _OPEN_FENCE.findall(text)]
    if language is None:
        return [code for _, code in blocks]
    wanted = language_name(language)
    labelled = [code for label, code in blocks if label == wanted]
    return labelled or [code for label, code in blocks if not label]
