"""
Ready-made reward functions, each in the module that the documentation names.

    from reward_kit.rewards.math import math_reward
    from reward_kit.rewards import math_reward
"""

from .accuracy import accuracy_reward
from .accuracy_length import cosine_scaled_accuracy_length_reward
from .code_execution import (
    binary_code_reward,
    e2b_code_execution_reward,
    fractional_code_reward,
    local_code_execution_reward,
)
from .cpp_code import binary_cpp_code_reward, ioi_cpp_code_reward
from .format import format_reward
from .function_calling import (
    composite_function_call_reward,
    exact_tool_match_reward,
    llm_judge_reward,
    match_function_call,
    schema_jaccard_reward,
)
from .json_schema import json_schema_reward, validate_json_string
from .language_consistency import language_consistency_reward
from .lean_prover import (
    deepseek_huggingface_prover_benchmark,
    deepseek_prover_v2_reward,
    lean_prover_reward,
)
from .length import cosine_length_reward, length_reward
from .math import math_reward
from .reasoning_steps import reasoning_steps_reward, sequence_reward
from .repetition import diversity_reward, repetition_penalty_reward
from .tag_count import tag_count_reward
from .text_overlap import bleu_reward, rouge_reward

__all__ = [
    "accuracy_reward",
    "binary_code_reward",
    "binary_cpp_code_reward",
    "bleu_reward",
    "composite_function_call_reward",
    "cosine_length_reward",
    "cosine_scaled_accuracy_length_reward",
    "deepseek_huggingface_prover_benchmark",
    "deepseek_prover_v2_reward",
    "diversity_reward",
    "e2b_code_execution_reward",
    "exact_tool_match_reward",
    "format_reward",
    "fractional_code_reward",
    "ioi_cpp_code_reward",
    "json_schema_reward",
    "language_consistency_reward",
    "lean_prover_reward",
    "length_reward",
    "llm_judge_reward",
    "local_code_execution_reward",
    "match_function_call",
    "math_reward",
    "reasoning_steps_reward",
    "repetition_penalty_reward",
    "rouge_reward",
    "schema_jaccard_reward",
    "sequence_reward",
    "tag_count_reward",
    "validate_json_string",
]
