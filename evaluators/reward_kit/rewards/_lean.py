"""Reading Lean proofs: is there one, is it finished, how is it built?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..execution.code_blocks import code_blocks

_DECLARATION = re.compile(
    r"^[ \t]*(?:@\[[^\]]*\]\s*)?(?:private\s+|protected\s+)?(theorem|lemma|example|def)\b", re.M
)
_UNFINISHED = re.compile(r"\b(?:sorry|admit|admitted)\b")
_TACTICS = (
    "intro|intros|exact|apply|refine|rw|rewrite|simp|simp_all|simpa|ring|ring_nf|linarith|nlinarith|norm_num|omega|"
    "induction|cases|rcases|obtain|constructor|calc|exfalso|by_contra|contradiction|use|existsi|left|right|split|"
    "ext|funext|congr|field_simp|positivity|decide|trivial|rfl|assumption|unfold|norm_cast|push_neg|specialize|"
    "gcongr|aesop|tauto|interval_cases|by_cases|push_cast|conv|subst|symm|trans|exists|native_decide"
)
_TACTIC = re.compile(rf"(?<![\w.])(?:{_TACTICS})(?![\w'])")
_SUBGOAL = re.compile(r"(?<![\w.])(?:have|suffices|show|obtain)(?![\w'])")


@dataclass(frozen=True)
class Proof:
    """What a text holds of a Lean proof."""

    code: str
    has_declaration: bool
    has_body: bool
    is_complete: bool
    tactics: int
    """Number of different tactics."""
    subgoals: int
    """Number of intermediate statements."""
    depth: int
    """How deep blocks are nested inside the proof."""


def read_proof(text: str) -> Proof:
    """Read the proof in a response: its Lean code blocks, else all of it."""
    code = _without_comments("\n\n".join(code_blocks(text, "lean")) or text)
    has_body = re.search(r":=|\bbegin\b|\bby\b", code) is not None
    tactics = set(_TACTIC.findall(code))
    return Proof(
        code=code,
        has_declaration=_DECLARATION.search(code) is not None,
        has_body=has_body,
        is_complete=has_body
        and bool(tactics or re.search(r":=\s*\S", code))
        and not _UNFINISHED.search(code),
        tactics=len(tactics),
        subgoals=len(_SUBGOAL.findall(code)),
        depth=_depth(code),
    )


def same_proof(text: str, expected: str) -> bool:
    """Tell whether two proofs are the same but for white space and comments."""
    got, wanted = read_proof(text).code.split(), read_proof(expected).code.split()
    return bool(wanted) and got == wanted


def _without_comments(code: str) -> str:
    code = re.sub(r"/-.*?-/", " ", code, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", code)


def _depth(code: str) -> int:
    """Lean 3 nests in braces, Lean 4 by indentation after `by`, `=>` and `·`."""
    deepest = level = 0
    for character in re.sub(r"\{[^{}\n]*:[^{}\n]*\}", "", code):
        level = max(0, level + (character == "{") - (character == "}"))
        deepest = max(deepest, level)
    if deepest:
        return deepest
    lines = [line for line in code.splitlines() if line.strip()]
    body = [line for line in lines if not _DECLARATION.match(line)]
    indents = sorted({len(line) - len(line.lstrip()) for line in body if line.lstrip() != "end"})
    return max(0, len(indents) - 1)
