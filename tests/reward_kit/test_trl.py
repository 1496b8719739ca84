"""The TRL adapter in a real trainer; needs the packages `trl` and `torch`."""

import pytest

from reward_kit import RewardFunction
from reward_kit.rewards.length import length_reward

trl = pytest.importorskip("trl")


def tiny_model():
    """A one-layer model over bytes, with random weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    names = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<pad>", "<eos>"]
    tokenizer = Tokenizer(models.BPE(vocab={name: index for index, name in enumerate(names)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    wrapped.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(names), num_key_value_heads=2, **size)), wrapped


@pytest.mark.parametrize("prompt", ["hello", [{"role": "user", "content": "hello"}]])
def test_a_trainer_is_rewarded(tmp_path, prompt):
    from datasets import Dataset

    model, tokenizer = tiny_model()
    reward = RewardFunction(func=length_reward, target_length=8, token_method="character")
    trainer = trl.GRPOTrainer(
        model=model,
        reward_funcs=reward.get_trl_adapter(),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path), use_cpu=True, max_steps=1, per_device_train_batch_size=2,
            num_generations=2, max_completion_length=12, report_to=[], save_strategy="no",
            logging_steps=1, disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([{"prompt": prompt, "ground_truth": "x"}] * 2),
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.train()
    assert trainer.state.global_step == 1
    assert 0.0 <= trainer.state.log_history[0]["rewards/length_reward/mean"] <= 1.0
