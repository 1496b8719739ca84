"""Code is run and its output judged: the documented examples and their failures."""

import shutil

import pytest

from reward_kit.errors import UsageError
from reward_kit.execution import Execution
from reward_kit.rewards.code_execution import (
    binary_code_reward,
    e2b_code_execution_reward,
    expected_output_in,
    extract_code_blocks,
    fractional_code_reward,
    local_code_execution_reward,
)
from reward_kit.rewards.cpp_code import binary_cpp_code_reward, ioi_cpp_code_reward

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler is installed")


FACTORIAL = "def factorial(n):\n    return 1 if n < 2 else n * factorial(n - 1)\n\nprint(factorial(5))"
PALINDROME = """
function isPalindrome(str) {
  const clean = str.toLowerCase().replace(/[^a-z0-9]/g, '');
  return clean === clean.split('').reverse().join('');
}
console.log(isPalindrome("A man, a plan, a canal: Panama"));
console.log(isPalindrome("hello"));
"""


def fenced(code, language="python"):
    return f"Here it is:\n```{language}\n{code}\n```\nIt works."


def test_the_documented_factorial_is_right(chat):
    result = local_code_execution_reward(
        messages=chat(fenced(FACTORIAL)), expected_output="120", language="python", timeout=5
    )
    assert result.score == 1.0
    assert {"extracted_code", "expected_output", "execution_result", "output_match"} == set(result.metrics)
    assert "mode: subprocess" in result.metrics["execution_result"].reason


@needs_node
def test_the_documented_palindrome_is_right(chat):
    messages = chat(fenced(PALINDROME, "javascript"))
    result = local_code_execution_reward(messages, expected_output="true\nfalse", language="javascript")
    assert result.score == 1.0


def test_the_same_literals_are_right_in_python(chat):
    messages = chat(fenced("print(4 % 2 == 0)\nprint(7 % 2 == 0)"))
    assert local_code_execution_reward(messages, expected_output="true\nfalse").score == 1.0


def test_the_expected_output_is_found_in_the_conversation(chat):
    question = (
        "Write a function to calculate the sum of numbers from 1 to n. For n=5, the expected output is 15."
    )
    messages = chat(fenced("print(sum(range(1, 6)))"), question=question)
    result = local_code_execution_reward(messages, original_messages=messages)
    assert (result.score, result.metrics["expected_output"].reason) == (1.0, "15")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("For n=5, the expected output is 15.", "15"),
        ("Find the sum. Expected output: 15 (for [1,2,3,4,5])", "15"),
        ("Expected output:\n```\n1\n2\n```", "1\n2\n"),
        ("It should print `hello`.", "hello"),
        ("The expected output is 3.14.", "3.14"),
        ("Expected output: [1, 2, 3]", "[1, 2, 3]"),
        ("Write anything.", None),
    ],
)
def test_expected_outputs_are_read(text, output):
    found = expected_output_in([type("M", (), {"role": "user", "text": text})()])
    assert (found and found.strip()) == (output and output.strip())


def test_code_that_runs_is_enough_when_nothing_is_expected(chat):
    assert local_code_execution_reward(chat(fenced("print('hi')"))).score == 1.0
    assert local_code_execution_reward(chat(fenced("1/0"))).score == 0.0


def test_wrong_output_gets_its_share_and_a_crash_nothing(chat):
    assert local_code_execution_reward(chat(fenced("print(42.001)")), expected_output="42").score == 0.99
    assert local_code_execution_reward(chat(fenced("print(42); 1/0")), expected_output="42").score == 0.0
    assert local_code_execution_reward(chat("no code"), expected_output="42").score == 0.0


def test_binary_code_passes_only_on_the_very_output(chat):
    assert binary_code_reward(chat(fenced("print(42)")), expected_output="42").score == 1.0
    assert binary_code_reward(chat(fenced("print(42.001)")), expected_output="42").score == 0.0


def test_fractional_code_is_the_share_of_passed_cases(chat):
    cases = [{"input": "2", "expected_output": "4"}, {"input": "3", "expected_output": "9"}]
    cases += [{"input": "4", "expected_output": "15"}, {"input": "x", "expected_output": ""}]
    result = fractional_code_reward(chat(fenced("print(int(input()) ** 2)")), test_cases=cases)
    assert result.score == 0.5
    assert "ValueError" in result.metrics["test_case_3"].reason
    assert fractional_code_reward(chat(fenced("print(1)")), expected_output="1").score == 1.0


@pytest.mark.parametrize("cases", [[], "{", [{"input": "1"}]])
def test_test_cases_that_cannot_be_read_are_raised(chat, cases):
    with pytest.raises(UsageError):
        ioi_cpp_code_reward(chat(fenced("x", "cpp")), test_cases=cases)


class Unavailable:
    def run(self, program, limits):
        return Execution("unavailable", detail="no interpreter", mode="test")


class Prints:
    """An executor that prints its program, to show that any executor will do."""

    def run(self, program, limits):
        return Execution("ok", program.code, mode="test")


def test_code_that_cannot_be_run_at_all_is_not_the_codes_fault(chat):
    result = local_code_execution_reward(chat(fenced("x")), expected_output="1", executor=Unavailable())
    assert (result.is_score_valid, result.error) == (False, "no interpreter")


def test_any_executor_can_be_put_in_place(chat):
    for reward in (local_code_execution_reward, e2b_code_execution_reward, binary_code_reward):
        assert reward(chat(fenced("abc")), expected_output="abc", executor=Prints()).score == 1.0


def test_e2b_needs_a_key(chat):
    with pytest.raises(UsageError, match="E2B_API_KEY"):
        e2b_code_execution_reward(chat(fenced("x")))


def test_code_blocks_are_listed():
    assert extract_code_blocks(fenced("x = 1"), "python") == [{"language": "python", "code": "x = 1"}]


ADD = {
    "cpp": "int main() { int a, b; cin >> a >> b; cout << a + b; }",
    "c": 'int main() { int a, b; scanf("%d %d", &a, &b); printf("%d", a + b); }',
}
SUMS = [{"input": "4\n5", "expected_output": "9"}, {"input": "10\n20", "expected_output": "30"}]


@needs_compiler
@pytest.mark.parametrize("language", ["cpp", "c"])
def test_the_documented_sums_are_right(chat, language):
    messages = chat(fenced(ADD[language], language))
    assert ioi_cpp_code_reward(messages, test_cases=SUMS, language=language).score == 1.0


@needs_compiler
def test_a_binary_program_has_to_pass_every_case(chat):
    cases = [*SUMS, {"input": "1 1", "expected_output": "3"}]
    messages = chat(fenced(ADD["cpp"], "cpp"))
    assert ioi_cpp_code_reward(messages, test_cases=cases).score == pytest.approx(2 / 3)
    assert binary_cpp_code_reward(messages, test_cases=cases).score == 0.0


@needs_compiler
def test_a_program_that_does_not_compile_fails_every_case_at_once(chat):
    result = ioi_cpp_code_reward(chat(fenced("int main() { return x; }", "cpp")), test_cases=SUMS)
    assert (result.score, result.metrics["compilation"].success) == (0.0, False)


def test_programs_can_be_run_by_a_piston_server(chat, loopback):
    loopback.routes["POST", "/execute"] = (200, {"run": {"stdout": "9", "stderr": "", "code": 0}})
    result = ioi_cpp_code_reward(
        chat(fenced(ADD["cpp"], "cpp")), test_cases=SUMS, piston_endpoint=loopback.url
    )
    assert result.score == 0.5
