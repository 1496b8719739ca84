"""Printed output is compared without a wrong verdict: every row here was checked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_kit.execution import output_similarity
from reward_kit.execution.code_blocks import code_blocks
from reward_kit.execution.output import outputs_match

# actual, expected, score
GRADED = [
    # the documented examples
    ("Hello, world!", "Hello, world!", 1.0),
    ("42.001", "42", 0.99),
    ("[1, 2, 3, 4]", "[1, 2, 3]", 0.75),
    ("Line 1\nLine 2\nLine X", "Line 1\nLine 2\nLine 3", 0.89),
    ("true\nfalse", "true\nfalse", 1.0),
    ("True\nFalse", "true\nfalse", 1.0),
    # numbers
    ("41", "42", 0.98),
    ("21", "42", 0.5),
    ("0", "42", 0.0),
    ("-42", "42", 0.0),
    ("420", "42", 0.0),
    ("0.5", "0", 0.5),
    # lists
    ("[]", "[]", 1.0),
    ("[]", "[1]", 0.0),
    ("[3, 2, 1]", "[1, 2, 3]", 0.33),
    ("[1, 2]", "[1, 2, 3, 4]", 0.5),
    ("[1, 5, 3]", "[1, 2, 3]", 0.67),
    ("[[1, 2], [3, 4]]", "[[1, 2], [3, 5]]", 0.75),
    ('["a", "b"]', "['a', 'b']", 1.0),
    ("(1, 2)", "[1, 2]", 1.0),
    ("{1, 2, 3}", "{3, 2, 1}", 1.0),
    # objects
    ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', 1.0),
    ('{"a": 1, "b": 3}', '{"a": 1, "b": 2}', 0.5),
    ('{"a": 1}', '{"a": 1, "b": 2}', 0.5),
    ("{'a': True}", '{"a": true}', 1.0),
    # lines
    ("a\nb", "a\nb\nc\nd", 0.5),
    ("1\n2\n3", "1\n2\n4", 0.92),
]

SAME = [
    ("120", "120"),
    ("120\n", "120"),
    ("120", "120\n\n"),
    ("  120  ", "120"),
    ("a\r\nb", "a\nb"),
    ("a  \nb", "a\nb"),
    ("3.0", "3"),
    ("1e3", "1000"),
    ("0.30000000000000004", "0.3"),
    ("3.141592653589793", "3.1415926535897931"),
    ("nan", "NaN"),
    ("inf", "Infinity"),
    ("None", "null"),
    ("TRUE", "True"),
    ("[1,2,3]", "[1, 2, 3]"),
    ("[1.0, 2.0]", "[1, 2]"),
    ('{\n  "a": [1, 2]\n}', '{"a": [1, 2]}'),
    ("héllo", "héllo"),
]

NOT_THE_SAME = [
    ("120", "121"),
    ("120", "12"),
    ("", "120"),
    ("120", ""),
    ("12345678901234567", "12345678901234568"),
    ("1000000000", "1000000001"),
    ("0.1", "0.10001"),
    ("3.14", "3.14159"),
    ("Hello", "hello"),
    ("Hello world", "Helloworld"),
    ("yes", "no"),
    ("True", "False"),
    ("True", "1"),
    ("[True]", "[1]"),
    ("[1, 2, 3]", "[3, 2, 1]"),
    ("[1, [2, 3]]", "[[1, 2], 3]"),
    ("1 2 3", "1 2 4"),
    ("1 2 3", "123"),
    ("a\nb", "b\na"),
    ("a\n\nb", "a\nb"),
    ("abab", "baba"),
    ("aaa", "aaaa"),
    ("x", "X"),
    ("null", "undefined"),
    ("1_000", "1000"),
    ("[1, 2", "[1, 2]"),
]

texts = st.text(max_size=20) | st.lists(st.integers(-9, 9), max_size=4).map(str) | st.floats().map(str)


@pytest.mark.parametrize(("actual", "expected", "score"), GRADED)
def test_the_score_says_how_far_the_output_is_right(actual, expected, score):
    assert round(output_similarity(actual, expected), 2) == score


@pytest.mark.parametrize(("actual", "expected"), SAME)
def test_differences_that_mean_nothing_are_overlooked(actual, expected):
    assert outputs_match(actual, expected)


@pytest.mark.parametrize(("actual", "expected"), NOT_THE_SAME)
def test_an_output_that_differs_never_matches(actual, expected):
    assert not outputs_match(actual, expected)
    assert not outputs_match(expected, actual)


@given(texts, texts)
def test_every_score_lies_between_zero_and_one_in_both_directions(actual, expected):
    forth, back = output_similarity(actual, expected), output_similarity(expected, actual)
    assert 0.0 <= forth <= 1.0
    assert (forth == 1.0) == (back == 1.0)


@given(texts)
def test_every_output_matches_itself(text):
    assert outputs_match(text, text)


@pytest.mark.parametrize(
    ("text", "language", "blocks"),
    [
        ("```python\nprint(1)\n```", "python", ["print(1)"]),
        ("```py\na\n```\n```js\nb\n```", "javascript", ["b"]),
        ("```\na\n```", "python", ["a"]),
        ("```js\na\n```", "python", []),
        ("```python\na\n```\ntext\n```python\nb\n```", "python", ["a", "b"]),
        ("```python\nprint('```')\n```", "python", ["print('```')"]),
        ("````python\n```\n````", "python", ["```"]),
        ("```python\nprint(1)", "python", ["print(1)"]),
        ("```C++\nx\n```", "cpp", ["x"]),
        ("no code", "python", []),
    ],
)
def test_code_blocks_are_found_by_language(text, language, blocks):
    assert code_blocks(text, language) == blocks
