"""
Reward functions for language models: write one, try it on samples, run it anywhere.

    from reward_kit import EvaluateResult, reward_function

    @reward_function
    def brevity(messages, **kwargs):
        return EvaluateResult(score=1.0 if len(messages[-1].text) < 100 else 0.0, reason="length")

Ready-made ones are in `reward_kit.rewards`; trying them on samples is `reward_kit.evaluation`.
"""

from .models import EvaluateResult, Message, MetricResult, MetricRewardOutput, RewardOutput, StepOutput
from .reward_function import RewardFunction
from .typed_interface import reward_function
from .utils import convert_to_evaluate_result, convert_to_reward_output, load_jsonl

__version__ = "0.5.0"

__all__ = [
    "EvaluateResult",
    "Message",
    "MetricResult",
    "MetricRewardOutput",
    "RewardFunction",
    "RewardOutput",
    "StepOutput",
    "convert_to_evaluate_result",
    "convert_to_reward_output",
    "load_jsonl",
    "reward_function",
]
