"""The public names are exactly these, and importing them stays light."""

import importlib
import subprocess
import sys

import pytest

import reward_kit
import reward_kit.rewards

PUBLIC = [
    "EvaluateResult", "Message", "MetricResult", "MetricRewardOutput", "RewardFunction", "RewardOutput",
    "StepOutput", "convert_to_evaluate_result", "convert_to_reward_output", "load_jsonl", "reward_function",
]  # fmt: skip

DOCUMENTED = {
    "reward_kit.reward_function": ["RewardFunction", "reward_function"],
    "reward_kit.evaluation": ["create_evaluation", "preview_evaluation"],
    "reward_kit.models": ["EvaluateResult", "Message", "MetricResult", "MetricRewardOutput", "RewardOutput"],
    "reward_kit.utils": ["convert_to_evaluate_result", "convert_to_reward_output"],
    "reward_kit.server": ["run_server"],
    "reward_kit.auth": ["get_authentication"],
    "reward_kit.rewards.format": ["format_reward"],
    "reward_kit.rewards.tag_count": ["tag_count_reward"],
    "reward_kit.rewards.accuracy": ["accuracy_reward"],
    "reward_kit.rewards.math": ["math_reward"],
    "reward_kit.rewards.language_consistency": ["language_consistency_reward"],
    "reward_kit.rewards.reasoning_steps": ["reasoning_steps_reward"],
    "reward_kit.rewards.length": ["cosine_length_reward", "length_reward"],
    "reward_kit.rewards.repetition": ["repetition_penalty_reward"],
    "reward_kit.rewards.accuracy_length": ["cosine_scaled_accuracy_length_reward"],
    "reward_kit.rewards.code_execution": [
        "binary_code_reward", "e2b_code_execution_reward", "fractional_code_reward",
        "local_code_execution_reward",
    ],
    "reward_kit.rewards.cpp_code": ["binary_cpp_code_reward", "ioi_cpp_code_reward"],
    "reward_kit.rewards.function_calling": [
        "composite_function_call_reward", "exact_tool_match_reward", "llm_judge_reward",
        "match_function_call", "schema_jaccard_reward",
    ],
    "reward_kit.rewards.json_schema": ["json_schema_reward", "validate_json_string"],
    "reward_kit.rewards.lean_prover": [
        "deepseek_huggingface_prover_benchmark", "deepseek_prover_v2_reward", "lean_prover_reward",
    ],
    "reward_kit.rewards.list_comparison_math_reward": ["list_comparison_math_reward"],
}  # fmt: skip


def test_the_package_exports_exactly_its_public_names():
    assert reward_kit.__all__ == PUBLIC == sorted(PUBLIC)
    assert all(hasattr(reward_kit, name) for name in PUBLIC)


@pytest.mark.parametrize("module", DOCUMENTED)
def test_each_documented_module_has_its_documented_names(module):
    found = importlib.import_module(module)
    assert [name for name in DOCUMENTED[module] if not hasattr(found, name)] == []


def test_the_rewards_package_exports_every_reward_once():
    names = reward_kit.rewards.__all__
    assert names == sorted(set(names))
    assert all(callable(getattr(reward_kit.rewards, name)) for name in names)


def test_importing_the_library_pulls_in_no_heavy_package():
    heavy = (
        "torch ray sparrel transformers numpy fastapi sympy sacrebleu rouge_score requests jsonschema openai"
    )
    code = f"import sys, reward_kit.rewards, reward_kit.cli; print(set('{heavy}'.split()) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
