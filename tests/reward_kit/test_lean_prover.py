"""Lean proofs score within their documented bands."""

import pytest

from reward_kit.rewards.lean_prover import (
    deepseek_huggingface_prover_benchmark,
    deepseek_prover_v2_reward,
    lean_prover_reward,
)

STATEMENT = "For all natural numbers n, the sum of the first n natural numbers is n(n+1)/2."
UNFINISHED = """
theorem sum_naturals (n : ℕ) : ∑ i in range n, i = n * (n + 1) / 2 :=
begin
  induction n with d hd,
  { simp, },
  { sorry }
end
"""
FINISHED = """
theorem sum_naturals (n : ℕ) : ∑ i in range n, i = n * (n + 1) / 2 :=
begin
  -- We'll prove this by induction on n
  induction n with d hd,
  -- Base case: n = 0
  { simp, },
  -- Inductive step: assume true for n = d, prove for n = d + 1
  {
    have step1 : ∑ i in range (d + 1), i = (∑ i in range d, i) + d,
      by simp [sum_range_succ],
    have step2 : (∑ i in range d, i) + d = d * (d + 1) / 2 + d,
      by rw [hd],
    calc
      ∑ i in range (d + 1), i = (∑ i in range d, i) + d : by simp [sum_range_succ]
      ... = d * (d + 1) / 2 + d : by rw [hd]
      ... = (d * (d + 1) + 2 * d) / 2 : by ring
      ... = (d + 1) * ((d + 1) + 1) / 2 : by ring,
  }
end
"""


def test_the_documented_unfinished_proof_scores_a_quarter():
    result = lean_prover_reward(
        response=UNFINISHED, statement=STATEMENT, lean_version="4", check_partial_progress=True, verbose=True
    )
    assert result.score == 0.25
    assert set(result.metrics) == {"syntax", "completeness", "tactics"}


def test_the_documented_finished_proof_scores_085():
    result = deepseek_prover_v2_reward(
        response=FINISHED, statement=STATEMENT, check_subgoals=True, verbose=True
    )
    assert result.score == pytest.approx(0.85)
    assert {"subgoal_decomposition", "hierarchical_structure"} <= set(result.metrics)


@pytest.mark.parametrize(
    ("proof", "low", "high"),
    [
        ("It follows by induction.", 0.0, 0.0),
        ("theorem t : 1 = 1", 0.0, 0.0),
        ("theorem t : 1 = 1 := by sorry", 0.1, 0.4),
        ("theorem t : 1 = 1 := by\n  simp\n  ring_nf\n  admit", 0.1, 0.4),
        ("theorem t : 1 = 1 := rfl", 0.5, 0.9),
        ("theorem t : 1 = 1 := by\n  -- sorry for the brevity\n  rfl", 0.5, 0.9),
        ("```lean4\nlemma t : 1 = 1 := by simp\n```", 0.5, 0.9),
    ],
)
def test_proofs_score_within_their_documented_bands(proof, low, high):
    assert low <= lean_prover_reward(response=proof, statement="s").score <= high


def test_the_expected_proof_is_perfect(chat):
    expected = "theorem t : 1 = 1 := by rfl"
    assert lean_prover_reward(response=expected, statement="s", expected_answer=expected).score == 1.0
    assert lean_prover_reward(chat(f"```lean\n{expected}\n```"), ground_truth=expected).score == 1.0


def test_a_proof_is_scored_against_the_matching_problem_of_a_dataset():
    rows = [
        {"statement": "theorem a", "proof": "theorem a : 1 = 1 := rfl"},
        {"statement": "gcd divides", "proof": "p"},
    ]
    options = {"load_rows": lambda name: rows, "verbose": True}
    result = deepseek_huggingface_prover_benchmark(
        response=rows[0]["proof"], statement="theorem a", **options
    )
    assert (result.score, result.metrics["dataset_match"].score) == (1.0, 1.0)
    unknown = deepseek_huggingface_prover_benchmark(
        response="x", statement="something else entirely", **options
    )
    assert (unknown.score, unknown.metrics["dataset_match"].success) == (0.0, False)
