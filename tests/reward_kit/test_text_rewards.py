"""Form, wording, length and accuracy: what the documentation says of each reward."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_kit.errors import MissingDependencyError, UsageError
from reward_kit.rewards.accuracy import accuracy_reward
from reward_kit.rewards.accuracy_length import cosine_scaled_accuracy_length_reward
from reward_kit.rewards.format import format_reward
from reward_kit.rewards.language_consistency import detect_dominant_language, language_consistency_reward
from reward_kit.rewards.length import cosine_length_reward, count_tokens, length_reward
from reward_kit.rewards.reasoning_steps import reasoning_steps_reward, sequence_reward
from reward_kit.rewards.repetition import diversity_reward, repetition_penalty_reward
from reward_kit.rewards.tag_count import tag_count_reward
from reward_kit.rewards.text_overlap import bleu_reward, rouge_reward

ALL = [
    (format_reward, {}),
    (tag_count_reward, {"tags": ["pros", "cons"]}),
    (accuracy_reward, {"ground_truth": "Paris"}),
    (accuracy_reward, {"ground_truth": "a text that is longer than a mere fact would be"}),
    (language_consistency_reward, {"target_language": "spanish"}),
    (reasoning_steps_reward, {}),
    (reasoning_steps_reward, {"max_steps": 4}),
    (sequence_reward, {}),
    (length_reward, {"target_length": 5}),
    (length_reward, {"min_length": 2, "max_length": 4, "scaling": "cosine"}),
    (cosine_length_reward, {"is_correct": True}),
    (cosine_length_reward, {"is_correct": False, "max_length": 3}),
    (repetition_penalty_reward, {}),
    (diversity_reward, {}),
    (cosine_scaled_accuracy_length_reward, {"ground_truth": "4"}),
]


def words(number):
    return " ".join(["word"] * number)


@given(st.text(max_size=60))
@pytest.mark.parametrize(("reward", "parameters"), ALL)
def test_every_score_lies_between_zero_and_one(reward, parameters, text):
    result = reward([{"role": "assistant", "content": text}], **parameters)
    assert result.error is None
    assert 0.0 <= result.score <= 1.0
    assert all(0.0 <= metric.score <= 1.0 for metric in result.metrics.values())
    assert result.reason


@pytest.mark.parametrize(("reward", "parameters"), ALL)
@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": "?"}]])
def test_a_conversation_without_a_response_is_a_typed_failure(reward, parameters, messages):
    result = reward(messages, **parameters)
    assert (result.score, result.is_score_valid) == (0.0, False)


# format and tags


def test_the_default_form_is_thinking_and_then_an_answer(chat):
    good = "<think>\n2+2=4\n</think>\n<answer>\n4\n</answer>"
    assert format_reward(chat(good)).score == 1.0
    assert format_reward(chat(f"Well: {good}")).score == 0.0
    assert format_reward(chat(f"Well: {good}"), pattern="<answer>.*", require_exact_match=False).score == 1.0


def test_a_pattern_and_its_flags_can_be_given(chat):
    assert format_reward(chat("A\nB"), pattern="a.b", flags=re.DOTALL | re.IGNORECASE).score == 1.0
    assert format_reward(chat("A\nB"), format_regex="A.B", flags=0).score == 0.0


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("<pros>fast</pros> <cons>dear</cons>", 1.0),
        ("<pros>fast</pros>", 0.5),
        ("<pros>a</pros><pros>b</pros><cons>c</cons>", 0.5),
        ("<pros>never closed <cons>c</cons>", 0.5),
        ("</pros>fast<pros> <cons>c</cons>", 0.5),
        ("nothing", 0.0),
    ],
)
def test_each_tag_has_to_occur_exactly_once(chat, text, score):
    result = tag_count_reward(chat(text), tags=["pros", "cons"])
    assert result.score == score
    assert set(result.metrics) == {"tag_count", "tag_pros", "tag_cons"}


def test_a_tag_can_have_a_fixed_worth(chat):
    assert tag_count_reward(chat("<a>1</a>"), required_tags=["a", "b"], score_per_tag=0.25).score == 0.25


# accuracy


@pytest.mark.parametrize(
    ("response", "truth", "score"),
    [
        ("The capital of France is Paris.", "Paris", 1.0),
        ("Paris", "paris", 1.0),
        ("The capital is Lyon.", "Paris", 0.0),
        ("It is not Paris but Lyon.", "Paris", 0.0),
        ("I thought of Paris. The answer is Lyon.", "Paris", 0.0),
        ("Parisian life", "Paris", 0.0),
        ("So we get \\boxed{\\frac{1}{2}}.", "0.5", 1.0),
        ("The answer is 41.", "42", 0.0),
        ("The Eiffel Tower, of course.", "Eiffel Tower", 1.0),
        ("<answer>the Eiffel Tower</answer>", "Eiffel Tower", 1.0),
    ],
)
def test_a_fact_is_stated_or_it_is_not(chat, response, truth, score):
    assert accuracy_reward(chat(response), ground_truth=truth).score == score


def test_a_long_truth_is_resembled(chat):
    truth = "the quick brown fox jumps over the lazy dog"
    assert accuracy_reward(chat(truth.title()), ground_truth=truth).score == 1.0
    assert accuracy_reward(
        chat("the quick brown fox sleeps under a tree"), ground_truth=truth
    ).score == pytest.approx(6 / 13, abs=0.01)


def test_extraction_and_comparison_can_be_replaced(chat):
    result = accuracy_reward(
        chat("city: PARIS!"),
        ground_truth="Paris",
        extract_fn=lambda text: text.split(": ")[1],
        compare_fn=lambda answer, truth: float(answer.startswith(truth.upper())) * 0.5,
    )
    assert result.score == 0.5


def test_the_truth_may_be_a_conversation(chat):
    assert (
        accuracy_reward(chat("Paris"), ground_truth=[{"role": "assistant", "content": "Paris"}]).score == 1.0
    )


# accuracy and length: the documented figures, which come from max_length=100

LONG_RIGHT = "The capital of France is Paris. Paris is located in the north. " + words(57)
LONG_WRONG = "I need to identify the capital city of France. France is in Europe. " + words(33)


@pytest.mark.parametrize(
    ("response", "combined", "accuracy", "length"),
    [
        ("Paris", 1.00, 1.00, 1.00),
        (LONG_RIGHT, 0.88, 1.00, 0.61),
        ("Lyon", 0.00, 0.00, 0.00),
        (LONG_WRONG, 0.04, 0.00, 0.13),
    ],
)
def test_the_documented_accuracy_and_length_scores(chat, response, combined, accuracy, length):
    result = cosine_scaled_accuracy_length_reward(chat(response), ground_truth="Paris", max_length=100)
    found = (result.score, result["metrics"]["accuracy"]["score"], result["metrics"]["length"]["score"])
    assert tuple(round(score, 2) for score in found) == (combined, accuracy, length)
    assert set(result.metrics) == {"combined_reward", "accuracy", "length", "token_count"}


def test_the_weights_can_be_changed(chat):
    result = cosine_scaled_accuracy_length_reward(
        chat("Paris"), ground_truth="Paris", correctness_weight=0.8, length_weight=0.2
    )
    assert round(result.score, 2) == 1.0


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_right_answer_always_scores_above_a_wrong_one(right, wrong):
    def score(text):
        messages = [{"role": "assistant", "content": text}]
        return cosine_scaled_accuracy_length_reward(messages, ground_truth="Paris", max_length=100).score

    assert score("Paris " + words(right)) > score("Lyon " + words(wrong))


# length


@pytest.mark.parametrize(("number", "score"), [(200, 1.0), (100, 0.5), (300, 0.5), (400, 0.0), (900, 0.0)])
def test_the_score_falls_with_the_distance_from_the_target(chat, number, score):
    assert length_reward(chat(words(number)), target_length=200).score == pytest.approx(score)


def test_within_bounds_the_length_does_not_matter(chat):
    bounds = {"min_length": 10, "max_length": 20}
    scores = [length_reward(chat(words(number)), **bounds).score for number in (5, 10, 15, 20, 30)]
    assert scores == [0.5, 1.0, 1.0, 1.0, 0.5]


def test_the_range_of_scores_can_be_given(chat):
    assert length_reward(chat(words(100)), target_length=200, reward_range=[0.2, 0.8]).score == pytest.approx(
        0.5
    )


@pytest.mark.parametrize(
    ("number", "correctness", "score"),
    [(0, 0.9, 1.0), (250, 0.9, 0.75), (500, 0.9, 0.5), (0, 0.5, 0.0), (500, 0.5, 0.3)],
)
def test_cosine_length_rewards_short_right_and_long_wrong_answers(chat, number, correctness, score):
    result = cosine_length_reward(chat(words(number)), correctness=correctness, max_length=500)
    assert result.score == pytest.approx(score)


def test_tokens_are_counted_in_three_ways():
    text = "It's 5 o'clock."
    assert [count_tokens(text, method) for method in ("whitespace", "word", "character")] == [3, 3, 15]
    with pytest.raises(UsageError):
        count_tokens(text, "bytes")


# repetition


def test_repeated_ngrams_cost_their_share_of_the_penalty(chat):
    assert repetition_penalty_reward(chat("a b c a b c")).score == 0.875
    assert repetition_penalty_reward(chat("one two three four")).score == 1.0
    assert repetition_penalty_reward(chat(words(100))).score == pytest.approx(0.5, abs=0.01)
    assert repetition_penalty_reward(chat(words(100)), max_penalty=1.0).score < 0.02


def test_chinese_text_is_counted_by_character(chat):
    assert repetition_penalty_reward(chat("很好很好很好很好")).score < 0.7


def test_diversity_averages_several_sizes(chat):
    assert diversity_reward(chat("a b a b")).score == pytest.approx((2 / 4 + 2 / 3 + 2 / 2) / 3)
    assert diversity_reward(chat("a b a b"), ngram_sizes=[1], weights=[2.0]).score == 0.5


# reasoning


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Step 1: add.\nStep 2: divide.\nStep 3: done.", 1.0),
        ("1. add\n2. divide\n3. done", 1.0),
        ("- add\n- divide\n- done", 1.0),
        ("First, add. Then divide. Finally, check.", 1.0),
        ("First, add.", 1 / 3),
        ("It is 4.", 0.0),
    ],
)
def test_steps_are_recognised_in_several_forms(chat, text, score):
    assert reasoning_steps_reward(chat(text), min_steps=3).score == pytest.approx(score)


def test_own_patterns_and_upper_bounds(chat):
    text = "\n".join(f"§ {n}" for n in range(6))
    assert reasoning_steps_reward(chat(text), pattern="^§", exclusive_patterns=True).score == 1.0
    assert reasoning_steps_reward(chat(text), pattern="^§", max_steps=4).score == 0.5
    assert sequence_reward(chat("First a, then b, finally c")).score == 1.0
    assert (
        sequence_reward(
            chat("alpha BETA"), sequence_terms=["alpha", "beta"], min_matches=2, case_sensitive=True
        ).score
        == 0.5
    )


# language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The weather is nice and we are going to the park.", "english"),
        ("Hola, esto es una prueba de que el texto está en el idioma.", "spanish"),
        ("Le temps est beau et nous allons dans le parc avec vous.", "french"),
        ("Das Wetter ist schön und wir gehen nicht in den Park.", "german"),
        ("Il tempo è bello e andiamo anche noi nella città.", "italian"),
        ("O tempo está bom e nós também vamos ao parque com você.", "portuguese"),
        ("Het weer is mooi en wij gaan niet naar het park.", "dutch"),
        ("Vädret är fint och vi ska inte gå till parken.", "swedish"),
        ("Pogoda jest bardzo ładna i nie wiem, czy to dobrze.", "polish"),
        ("Hava çok güzel ve bu iyi bir gün için değil mi.", "turkish"),
        ("Погода хорошая, и мы не знаем, что это было.", "russian"),
        ("天气很好，我们去公园。", "chinese"),
        ("今日は天気がいいですね。", "japanese"),
        ("오늘은 날씨가 좋습니다.", "korean"),
        ("الطقس جميل اليوم", "arabic"),
        ("42 + 7 = 49", None),
    ],
)
def test_languages_are_told_apart(text, language):
    assert detect_dominant_language(text) == language


def test_the_share_of_the_target_language_counts(chat):
    spanish, english = "esto es una prueba porque también está aquí", "this is the end and that was all of it"
    assert language_consistency_reward(chat(spanish), target_language="es").score == 1.0
    assert language_consistency_reward(chat(english), target_language="spanish").score < 0.1
    assert (
        0.1 < language_consistency_reward(chat(f"{spanish} {english}"), target_language="spanish").score < 1.0
    )


def test_the_question_decides_the_language_if_none_is_given(chat):
    reply = chat(
        "The sky is blue because of the light.", question="¿Por qué es azul el cielo cuando no hay nubes?"
    )
    assert language_consistency_reward(reply).metrics["target_language"].reason == "spanish"


def test_code_belongs_to_no_language(chat):
    text = "esto es una prueba\n```python\nfor the in of and to: is\n```"
    assert language_consistency_reward(chat(text), target_language="spanish").score == 1.0


# overlap with a reference


def test_bleu_and_rouge_come_from_their_libraries(chat):
    pytest.importorskip("sacrebleu")
    pytest.importorskip("rouge_score")
    text = "the cat sat on the mat"
    assert bleu_reward(chat(text), ground_truth=text).score == pytest.approx(1.0)
    assert bleu_reward(chat("a dog"), ground_truth=[text, "a dog"]).score > 0.3
    assert rouge_reward(chat("the cat"), ground_truth="the cat sat").score == pytest.approx(0.8)
    assert rouge_reward(chat("dogs bark"), ground_truth=text, rouge_type="rouge1").score == 0.0


def test_a_missing_library_says_what_to_install(chat, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingDependencyError, match="pip install sacrebleu"):
        bleu_reward(chat("a"), ground_truth="a")


# parameters


@pytest.mark.parametrize(
    ("reward", "parameters"),
    [
        (tag_count_reward, {}),
        (accuracy_reward, {}),
        (length_reward, {}),
        (length_reward, {"target_length": 0}),
        (length_reward, {"target_length": 5, "scaling": "cubic"}),
        (length_reward, {"target_length": 5, "token_method": "bytes"}),
        (cosine_length_reward, {"max_length": 0}),
        (language_consistency_reward, {"target_language": "klingon"}),
        (language_consistency_reward, {"auto_detect": False}),
        (diversity_reward, {"weights": [1.0]}),
        (reasoning_steps_reward, {"min_steps": 0}),
        (rouge_reward, {"ground_truth": "a", "rouge_type": "rouge9"}),
        (cosine_scaled_accuracy_length_reward, {"ground_truth": "a", "length_weight": -1}),
    ],
)
def test_a_senseless_parameter_is_raised(chat, reward, parameters):
    with pytest.raises(UsageError):
        reward(chat("one two"), **parameters)
