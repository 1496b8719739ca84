"""Each sampling parameter does what it says, on logits small enough to check by hand."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from sparrel.engine import InvalidSampling, NumericalError, ProcessorFailed, SamplingParams
from sparrel.engine.request import EngineRequest, RequestTimings, SequenceState
from sparrel.engine.sampler import Sampled, Sampler, uniform_at

EOS = 0
PROBS = [0.4, 0.3, 0.15, 0.1, 0.05]


def sequence(prompt: Sequence[int] = (1,), output: Sequence[int] = (), **params: Any) -> SequenceState:
    processor = params.pop("logits_processor", None)
    request = EngineRequest("r", list(prompt), SamplingParams(**params), logits_processor=processor)
    tokens = [*prompt, *output]
    return SequenceState(request, 0, params.get("seed") or 0, 100, tokens, RequestTimings(0.0))


def run(seqs: list[SequenceState], logits: Tensor) -> list[Sampled]:
    return Sampler(frozenset([EOS])).sample(logits.clone(), seqs)


def draws(probs: Sequence[float] = PROBS, num: int = 400, **params: Any) -> Counter[int]:
    """How often each token comes out over many seeds."""
    logits = torch.tensor([probs]).log().expand(num, -1)
    return Counter(
        out.token_id for out in run([sequence(seed=seed, **params) for seed in range(num)], logits)
    )


def pick(logits: list[float], **params: Any) -> int:
    return run([sequence(temperature=0.0, **params)], torch.tensor([logits]))[0].token_id


def test_plain_sampling_follows_the_distribution() -> None:
    counts = draws(num=4000)
    assert [counts[token] / 4000 for token in range(5)] == pytest.approx(PROBS, abs=0.03)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(draws(temperature=0.0)) == {0}


def test_temperature_flattens_and_sharpens() -> None:
    assert draws(temperature=0.5)[0] > draws()[0] > draws(temperature=3.0)[0]


def test_top_k_keeps_the_k_likeliest() -> None:
    assert set(draws(top_k=2)) == {0, 1}


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.0, {0}), (0.39, {0}), (0.41, {0, 1}), (0.69, {0, 1}), (0.86, {0, 1, 2, 3})]
)
def test_top_p_keeps_the_smallest_set_with_that_mass(top_p: float, kept: set[int]) -> None:
    assert set(draws(top_p=top_p)) == kept


def test_top_p_counts_within_what_top_k_left() -> None:
    # Of 0.4 and 0.3 the first alone holds 57 %.
    assert set(draws(top_k=2, top_p=0.55)) == {0}


def test_min_p_is_relative_to_the_likeliest() -> None:
    assert set(draws(min_p=0.5)) == {0, 1}
    assert set(draws(min_p=1.0)) == {0}


def test_typical_p_keeps_what_is_near_the_entropy() -> None:
    # Entropy 1.39 nats: 0.3 (1.20) is nearest, then 0.4 (0.92), then 0.15 (1.90).
    assert set(draws(typical_p=0.2)) == {1}
    assert set(draws(typical_p=0.6)) == {0, 1}


def test_a_wide_nucleus_falls_back_to_a_full_sort() -> None:
    vocab = 2000
    logits = torch.zeros(300, vocab)
    seqs = [sequence(seed=seed, top_p=0.9) for seed in range(300)]
    chosen = {out.token_id for out in run(seqs, logits)}
    assert len(chosen) > 200
    assert max(chosen) <= 0.9 * vocab + 1


def test_a_row_does_not_see_the_other_rows() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 3000, generator=generator) * 2
    kinds: list[dict[str, Any]] = [
        {"top_p": 0.5}, {"top_k": 5}, {}, {"top_p": 0.999}, {"min_p": 0.1}, {"typical_p": 0.3, "top_k": 9},
    ]  # fmt: skip
    seqs = [sequence(seed=row, **kind) for row, kind in enumerate(kinds)]
    together = [out.token_id for out in run(seqs, logits)]
    assert together == [run([seq], logits[row : row + 1])[0].token_id for row, seq in enumerate(seqs)]


def test_frequency_and_presence_count_generated_tokens_only() -> None:
    logits = [5.0, 4.9, 0.0]
    assert pick(logits, prompt=[0, 0, 0], frequency_penalty=2.0, presence_penalty=2.0) == 0
    assert pick(logits, output=[0], presence_penalty=0.2) == 1
    assert pick(logits, output=[0, 1, 1, 1], frequency_penalty=0.06) == 0
    assert pick(logits, output=[0, 0, 0, 1], frequency_penalty=0.06) == 1


def test_repetition_counts_the_prompt_too_and_shrinks_both_signs() -> None:
    assert pick([5.0, 4.9, 0.0], prompt=[0], repetition_penalty=1.1) == 1
    assert pick([-1.0, -1.1, -9.0], prompt=[0], repetition_penalty=1.5) == 1
    assert pick([4.9, 5.0, 0.0], prompt=[0], repetition_penalty=0.9) == 0


def test_penalties_follow_the_tokens_as_they_come() -> None:
    seq = sequence(temperature=0.0, presence_penalty=1.0)
    chosen = []
    for _ in range(3):
        chosen.append(run([seq], torch.tensor([[3.0, 2.5, 2.2]]))[0].token_id)
        seq.token_ids.append(chosen[-1])
    assert chosen == [0, 1, 2]


def test_logit_bias_is_added() -> None:
    assert pick([1.0, 0.0, 0.0], logit_bias={2: 1.5}) == 2
    assert pick([1.0, 0.0, 0.5], logit_bias={0: -100}) == 2


def test_min_tokens_forbids_the_end_until_then() -> None:
    assert pick([9.0, 1.0, 8.0], min_tokens=2, output=[1], stop_token_ids=(2,)) == 1
    assert pick([9.0, 1.0, 8.0], min_tokens=2, output=[1, 1], stop_token_ids=(2,)) == 0
    assert pick([9.0, 1.0, 8.0], min_tokens=2, ignore_eos=True) == 0


def mirostat_surprise(target: float) -> float:
    """Mean surprise in bits over a long run on one distribution."""
    logits = torch.tensor([[-0.02 * rank for rank in range(400)]])
    probs = logits.softmax(-1)[0]
    seq = sequence(seed=3, mirostat_target=target, mirostat_lr=0.3)
    surprise = []
    for _ in range(300):
        token = run([seq], logits)[0].token_id
        seq.token_ids.append(token)
        surprise.append(-math.log2(probs[token]))
    return sum(surprise[100:]) / 200


def test_mirostat_steers_the_surprise() -> None:
    assert mirostat_surprise(8.0) < mirostat_surprise(32.0) < mirostat_surprise(120.0)


def test_mirostat_keeps_the_likeliest_at_perplexity_one() -> None:
    assert set(draws(mirostat_target=1.0)) == {0}


def test_a_processor_edits_its_own_row_only() -> None:
    def only_three(output: Sequence[int], logits: Tensor) -> None:
        logits[:3] = -math.inf

    seqs = [sequence(temperature=0.0, logits_processor=only_three), sequence(temperature=0.0)]
    assert [out.token_id for out in run(seqs, torch.tensor([[5.0, 4, 3, 2], [5.0, 4, 3, 2]]))] == [3, 0]


def test_a_failing_processor_ends_its_own_row_only() -> None:
    def fail(output: Sequence[int], logits: Tensor) -> None:
        raise RuntimeError("broken grammar")

    failed, fine = run([sequence(logits_processor=fail), sequence(temperature=0.0)], torch.ones(2, 4))
    assert isinstance(failed.error, ProcessorFailed)
    assert "broken grammar" in str(failed.error)
    assert fine.error is None


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_poisoned_logits_end_their_own_row_only(poison: float) -> None:
    logits = torch.tensor([[1.0, poison, 0.0], [1.0, 3.0, 0.0]])
    for params in ({"temperature": 0.0}, {"top_p": 0.9}, {}, {"frequency_penalty": 1.0, "logprobs": 1}):
        bad, good = run([sequence(**params), sequence(temperature=0.0)], logits)
        assert isinstance(bad.error, NumericalError)
        assert (good.token_id, good.error) == (1, None)


def test_uniform_numbers_are_uniform_and_depend_on_seed_and_position() -> None:
    numbers = [uniform_at(seed, index) for seed in range(50) for index in range(50)]
    assert all(0.0 <= number < 1.0 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert sum(numbers) / len(numbers) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"top_p": 1.1},
        {"top_k": -1},
        {"min_p": 2},
        {"typical_p": -1},
        {"presence_penalty": 2.5},
        {"frequency_penalty": -3},
        {"repetition_penalty": 0},
        {"mirostat_target": 0.5},
        {"mirostat_lr": -1},
        {"logit_bias": {1: 201}},
        {"logit_bias": {1: math.nan}},
        {"max_tokens": -1},
        {"max_tokens": 1, "min_tokens": 2},
        {"logprobs": -1},
    ],
)
def test_parameters_out_of_range_are_refused_by_name(params: dict[str, Any]) -> None:
    with pytest.raises(InvalidSampling, match=next(reversed(params))):
        SamplingParams(**params)
    assert issubclass(InvalidSampling, ValueError)
