"""Mathematics, JSON, function calls, code and proofs: the documented examples and what surrounds them."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from reward_kit.rewards.function_calling import (
    composite_function_call_reward,
    exact_tool_match_reward,
    llm_judge_reward,
    match_function_call,
    schema_jaccard_reward,
)
from reward_kit.rewards.json_schema import json_schema_reward, validate_json_string
from reward_kit.rewards.lean_prover import (
    deepseek_huggingface_prover_benchmark,
    deepseek_prover_v2_reward,
    lean_prover_reward,
)
from reward_kit.rewards.list_comparison_math_reward import list_comparison_math_reward
from reward_kit.rewards.math import compare_numbers, extract_numbers, math_reward
from reward_kit.rewards.multiple_choice_math_reward import chosen_option, multiple_choice_math_reward

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler is installed")

# mathematics

CIRCLE = "Area = π × 3² = 9π cm²\n\nTherefore, the area is \n\n$$\\boxed{28.27 \\text{ cm}^2}$$"


def test_the_documented_percentage_is_right(chat):
    text = (
        "To calculate 15% of 80, I'll multiply 80 by 0.15:\n\n80 × 0.15 = 12\n\nTherefore, 15% of 80 is 12."
    )
    result = math_reward(messages=chat(text), expected_answer="12")
    assert result.score == 1.0
    assert set(result.metrics) == {"answer_extraction", "expected_answer", "answer_comparison"}


def test_the_documented_circle_is_right_in_its_box_with_its_unit(chat):
    options = {"extract_boxed_only": True, "ignore_units": False, "tolerance": 0.01}
    assert math_reward(chat(CIRCLE), expected_answer="28.27 cm^2", **options).score == 1.0
    assert math_reward(chat(CIRCLE), expected_answer="28.27 m^2", **options).score == 0.0
    assert math_reward(chat(CIRCLE), expected_answer="28.27", **options).score == 0.0


def test_several_documented_answers_are_alternatives(chat):
    text = "3/12 + 2/12 = 5/12\n\nTherefore, 1/4 + 1/6 = 5/12"
    assert math_reward(chat(text), expected_answer=["5/12", "0.41666"], tolerance=0.001).score == 1.0
    assert math_reward(chat(text), expected_answer=["1/2", "0.5"]).score == 0.0


def test_the_answer_can_come_from_the_original_messages(chat):
    original = [{"role": "user", "content": "Solve the equation 2x + 5 = 15. The answer is x = 5."}]
    text = "2x = 10\nx = 10/2\nx = 5\n\nTherefore, the solution is x = 5."
    options = {"original_messages": original, "extract_answer_from_original": True}
    assert math_reward(chat(text), **options).score == 1.0
    assert math_reward(chat("x = 4"), **options).score == 0.0


@pytest.mark.parametrize("truth", ["72", 72, "48/2 = 24\n#### 72", r"so \boxed{72}", "72 clips"])
def test_the_ground_truth_may_be_an_answer_or_a_worked_solution(chat, truth):
    assert math_reward(chat("She sold 72 clips."), ground_truth=truth).score == 1.0


def test_no_answer_is_a_valid_zero(chat):
    result = math_reward(
        chat("I will think about it and say $5."), expected_answer="5", extract_boxed_only=True
    )
    assert (result.score, result.is_score_valid, result.reason) == (0.0, True, "no answer in a box")


@pytest.mark.parametrize(
    "parameters", [{}, {"expected_answer": ""}, {"expected_answer": "1", "tolerance": -1}]
)
def test_math_needs_an_answer_and_sensible_tolerances(chat, parameters):
    with pytest.raises(UsageError):
        math_reward(chat("1"), **parameters)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_integers_are_right_exactly_when_they_are_equal(wanted, got):
    result = math_reward(
        [{"role": "assistant", "content": f"The answer is {got}."}], expected_answer=str(wanted)
    )
    assert result.score == float(wanted == got)


@given(st.text(max_size=80), st.text(min_size=1, max_size=20).filter(str.strip))
def test_any_text_gets_a_verdict(response, truth):
    assert math_reward([{"role": "assistant", "content": response}], ground_truth=truth).score in (0.0, 1.0)


def test_numbers_can_be_listed_and_compared():
    assert extract_numbers("3/4 of 1,000 is 750") == [("3/4", 0.75), ("1,000", 1000.0), ("750", 750.0)]
    assert compare_numbers(100, 100.0001) == (True, 1.0)
    assert compare_numbers(100, 50) == (False, 0.5)


@pytest.mark.parametrize(
    ("text", "order_matters", "score"),
    [
        (r"The divisors are \boxed{1, 2, 3, 6}", False, 1.0),
        (r"\boxed{6, 3, 2, 1}", False, 1.0),
        (r"\boxed{6, 3, 2, 1}", True, 0.0),
        (r"\boxed{1, 2, 3}", False, 0.0),
        (r"\boxed{1, 2, 2, 3, 6}", False, 0.0),
        ("none", False, 0.0),
    ],
)
def test_lists_of_numbers_are_compared(chat, text, order_matters, score):
    result = list_comparison_math_reward(chat(text), ground_truth="1,2,3,6", order_matters=order_matters)
    assert result.score == score


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        ("Answer: C", "C"),
        ("Not (A), so \\boxed{C}", "C"),
        (r"\boxed{\text{D}}", "D"),
        ("(A) is tempting, but the correct answer is **B**", "B"),
        ("B. 12", "B"),
        ("A good question", None),
        ("none", None),
    ],
)
def test_the_chosen_option_is_found(text, letter):
    assert chosen_option(text) == letter


def test_a_choice_is_right_or_wrong(chat):
    assert multiple_choice_math_reward(chat("The answer is B"), ground_truth="B").score == 1.0
    assert multiple_choice_math_reward(chat("The answer is A"), ground_truth="(B)").score == 0.0


# JSON

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "email": {"type": "string", "format": "email"},
        "interests": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "age", "email"],
}
JANE = '{"name": "Jane Smith", "age": 32, "email": "jane.smith@example.com", "interests": ["hiking"]}'


@pytest.mark.parametrize(
    ("text", "score"),
    [
        (f"Here's a JSON object:\n```json\n{JANE}\n```\nThis is it.", 1.0),
        (f"```\n{JANE}\n```", 1.0),
        (f"Sure: {JANE} as asked.", 1.0),
        (JANE.replace("32", '"32"'), 0.0),
        (JANE.replace("32", "-1"), 0.0),
        (JANE.replace("jane.smith@example.com", "jane"), 0.0),
        ('```json\n{"name": "W", "price": 1, // a remark\n}\n```', 0.0),
        ("no JSON at all", 0.0),
    ],
)
def test_json_is_found_and_validated(chat, text, score):
    assert json_schema_reward(messages=chat(text), schema=PERSON).score == score


def test_adherence_says_how_much_of_the_schema_is_met(chat):
    result = json_schema_reward(chat('{"name": "Jane", "age": "x", "email": "j@x.org"}'), schema=PERSON)
    assert (result.score, result.metrics["schema_adherence"].score) == (0.0, 0.75)
    assert "age: 'x' is not of type 'integer'" in result.reason


def test_an_own_extractor_finds_the_json(chat):
    text = f"USER DATA: <<{JANE}>> and {{}}"
    found = json_schema_reward(
        chat(text), schema=PERSON, json_extractor=lambda message: message.split("<<")[1].split(">>")[0]
    )
    assert found.score == 1.0
    assert json_schema_reward(chat(text), schema=PERSON, json_extractor=lambda message: None).score == 0.0


def test_one_of_several_objects_is_chosen_by_index(chat):
    text = f'Person:\n```json\n{JANE}\n```\nPet:\n```json\n{{"name": "Buddy"}}\n```'
    scores = [json_schema_reward(chat(text), schema=PERSON, json_index=index).score for index in (0, 1, 2)]
    assert scores == [1.0, 0.0, 0.0]


def test_any_or_all_of_several_schemas_have_to_hold(chat):
    schemas = [
        {"properties": {"role": {"enum": ["user"]}}, "required": ["role"]},
        {"properties": {"role": {"enum": ["admin"]}}, "required": ["role"]},
    ]
    text = '{"role": "admin"}'
    assert json_schema_reward(chat(text), schema=schemas, require_all_valid=False).score == 1.0
    assert json_schema_reward(chat(text), schema=schemas, require_all_valid=True).score == 0.0


def test_json_can_be_validated_directly():
    assert validate_json_string(json_str=JANE, schema=PERSON)["valid"]
    result = validate_json_string('{"name": "A"}', PERSON)
    assert not result["valid"]
    assert result["errors"] == ["'age' is a required property", "'email' is a required property"]
    assert json_schema_reward(json_content={"name": "A"}, expected_schema=PERSON).score == 0.0


def test_a_broken_schema_is_raised(chat):
    for schema in (None, [], "{", {"type": "nonsense"}):
        with pytest.raises(UsageError):
            json_schema_reward(chat(JANE), schema=schema)


# function calls

WEATHER = {"name": "get_weather", "arguments": {"location": {"type": "string"}, "unit": {"type": "string"}}}


def calling(arguments, name="get_weather"):
    call = {"name": name, "arguments": json.dumps(arguments)}
    return [
        {"role": "user", "content": "What's the weather in New York?"},
        {"role": "assistant", "content": "I'll check.", "function_call": call},
    ]


def tool_message(*calls):
    calls = [{"type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for n, a in calls]
    return {"role": "assistant", "content": None, "tool_calls": calls}


@pytest.mark.parametrize(
    ("arguments", "name", "score"),
    [
        ({"location": "New York", "unit": "celsius"}, "get_weather", 1.0),
        ({"location": "New York"}, "get_weather", 0.65),
        ({"location": "New York", "unit": 1}, "get_weather", 0.3 + 0.7 / 3),
        ({}, "get_weather", 0.3),
        ({"location": "New York", "unit": "celsius"}, "get_time", 0.0),
    ],
)
def test_a_call_is_compared_with_its_schema(arguments, name, score):
    assert schema_jaccard_reward(calling(arguments, name), expected_schema=WEATHER).score == pytest.approx(
        score
    )


def test_a_call_can_be_given_directly():
    call = {"name": "get_weather", "arguments": json.dumps({"location": "New York", "unit": "celsius"})}
    assert schema_jaccard_reward(messages=[], function_call=call, expected_schema=WEATHER).score == 1.0


def test_tool_calls_and_tags_are_calls_too():
    arguments = {"location": "NY", "unit": "c"}
    modern = [tool_message(("get_weather", arguments))]
    body = json.dumps({"name": "get_weather", "arguments": arguments})
    tagged = [{"role": "assistant", "content": f"<tool_call>{body}</tool_call>"}]
    for messages in (modern, tagged):
        assert schema_jaccard_reward(messages, expected_schema=WEATHER).score == 1.0


def test_no_call_is_a_zero(chat):
    assert schema_jaccard_reward(chat("It is sunny."), expected_schema=WEATHER).score == 0.0


@pytest.mark.parametrize(
    ("got", "wanted", "score"),
    [
        ([("f", {"a": 1})], [("f", {"a": 1})], 1.0),
        ([("f", {"a": 1}), ("g", {})], [("g", {}), ("f", {"a": 1})], 1.0),
        ([("f", {"a": 2})], [("f", {"a": 1})], 0.0),
        ([("f", {"a": 1})], [("f", {"a": 1}), ("f", {"a": 1})], 0.0),
        ([("f", {"a": 1})], [], 0.0),
        ([], [], 1.0),
    ],
)
def test_calls_match_exactly_or_not_at_all(got, wanted, score):
    truth = tool_message(*wanted)
    assert exact_tool_match_reward([tool_message(*got)], ground_truth=truth).score == score
    assert exact_tool_match_reward([tool_message(*got)], ground_truth=json.dumps(truth)).score == score


@pytest.mark.parametrize(
    ("arguments", "strictness", "score"),
    [
        ({"location": "a", "unit": "b"}, "exact", 1.0),
        ({"location": "a"}, "exact", 0.5),
        ({"location": "a"}, "partial", 1.0),
        ({"location": 5}, "partial", 0.5),
        ({"location": "a", "more": 1}, "flexible", 0.75),
    ],
)
def test_arguments_can_be_matched_more_or_less_strictly(arguments, strictness, score):
    result = match_function_call([], "get_weather", arguments, WEATHER, argument_match_strictness=strictness)
    assert result.score == score


def judge(loopback, content, status=200):
    answer = {"choices": [{"message": {"content": content}}]}
    loopback.routes["POST", "/v1/chat/completions"] = (status, answer)
    return {"openai_api_key": "k", "base_url": f"{loopback.url}/v1"}


@pytest.mark.parametrize(
    "content",
    [
        '{"score": 0.8, "explanation": "good"}',
        '```json\n{"score": 0.8, "explanation": "good"}\n```',
        "Score: 0.8\nExplanation: good",
    ],
)
def test_a_judge_scores_a_call_and_says_why(loopback, content):
    messages = calling({"location": "New York"})
    options = judge(loopback, content)
    result = llm_judge_reward(
        messages,
        expected_schema=WEATHER,
        expected_behavior="asks for weather",
        model="m",
        temperature=0.2,
        **options,
    )
    assert (result.score, result.reason) == (0.8, "good")
    body = loopback.requests[0][3]
    assert (body["model"], body["temperature"]) == ("m", 0.2)
    assert all(
        part in body["messages"][0]["content"] for part in ("New York", "get_weather", "asks for weather")
    )


@pytest.mark.parametrize(("content", "status"), [("no idea", 200), ('{"score": 7}', 200), ("x", 500)])
def test_a_judge_that_fails_makes_the_result_invalid(loopback, content, status):
    result = llm_judge_reward(calling({}), expected_schema=WEATHER, **judge(loopback, content, status))
    assert (result.score, result.is_score_valid) == (0.0, False)


def test_a_judge_needs_a_key():
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        llm_judge_reward(calling({}), expected_schema=WEATHER)


def test_the_composite_weighs_schema_and_judge(loopback):
    messages = calling({"location": "New York", "unit": "celsius"})
    options = judge(loopback, '{"score": 0.5, "explanation": "fine"}')
    result = composite_function_call_reward(
        messages,
        expected_schema=WEATHER,
        expected_behavior="b",
        weights={"schema": 0.6, "llm": 0.4},
        **options,
    )
    assert result.score == pytest.approx(0.8)
    assert {"schema_function_name_match", "schema_schema_similarity", "llm_llm_judge"} <= set(result.metrics)


# code

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


# Lean

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
