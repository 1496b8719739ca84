"""Answers are read and compared without a wrong verdict: every row here was checked by hand."""

import pytest

from reward_kit.answers import final_answer, same_answer
from reward_kit.answers.compare import Rules

SAME = [
    # integers and decimals
    ("42", "42"),
    ("-27", "-27"),
    ("-27", "−27"),
    ("3.14159", "3.14159"),
    ("0.5", ".5"),
    ("0.5", "0.50"),
    ("7", "7.0"),
    ("1234567", "1,234,567"),
    ("1000", "1{,}000"),
    ("1000000", r"1\,000\,000"),
    ("12", "12."),
    ("12", "**12**"),
    ("12", "$12$"),
    ("12", r"\(12\)"),
    ("12", "+12"),
    ("5", "five"),
    ("0", "-0"),
    # fractions and mixed fractions
    ("3/4", "0.75"),
    ("-5/8", "-0.625"),
    ("3/4", r"\frac{3}{4}"),
    ("3/4", r"\frac34"),
    ("3/4", r"\dfrac{3}{4}"),
    ("3/4", r"\tfrac 3 4"),
    ("3/4", "6/8"),
    ("5/3", "1 2/3"),
    ("1 2/3", r"1\frac{2}{3}"),
    ("1 2/3", "1⅔"),
    ("-7/2", "-3 1/2"),
    ("1/2", "½"),
    ("7/2", "3½"),
    ("5/12", "0.41666"),
    ("1/3", "0.3333"),
    ("2", "4/2"),
    ("-1/2", r"-\frac{1}{2}"),
    ("-1/2", r"\frac{-1}{2}"),
    ("22/7", r"\frac{22}{7} \approx 3.14"),
    # scientific notation
    ("12300", "1.23e4"),
    ("1.23e4", "1.23E+4"),
    ("6.022e23", "6.022 × 10^23"),
    ("6.022e23", "6.022 x 10^23"),
    ("6.022e23", r"6.022 \times 10^{23}"),
    ("6.022e23", "6.022 * 10**23"),
    ("6.022e23", "6.022·10²³"),
    ("5.67e-8", "5.67 × 10⁻⁸"),
    ("5.67e-8", r"5.67\times10^{-8}"),
    ("0.001", "10^{-3}"),
    ("300000000", "3 × 10^8"),
    # constants, roots, powers
    (r"\pi", "3.14159"),
    (r"\pi \approx 3.14159", "π"),
    (r"2\pi", "2π"),
    ("9π", r"9 \pi"),
    (r"\frac{\pi}{2}", "π/2"),
    (r"\sqrt{2}", "√2"),
    (r"\sqrt{2}", "1.41421"),
    (r"\sqrt{12}", r"2\sqrt{3}"),
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"),
    (r"\sqrt[3]{8}", "2"),
    (r"\sqrt{16}", "4"),
    ("2^{10}", "1024"),
    ("2^10", "2**10"),
    ("8", "2³"),
    ("5!", "120"),
    ("|-3|", "3"),
    ("e^2", "7.389"),
    (r"\ln e", "1"),
    (r"\log_{2} 8", "3"),
    (r"\log 100", "2"),
    (r"\sin 30^\circ", "1/2"),
    (r"\cos(\pi)", "-1"),
    ("3+4i", "4i + 3"),
    ("i^2", "-1"),
    (r"\infty", "∞"),
    # names, signs, relations
    ("5", "x = 5"),
    ("x = 5", "5"),
    ("x=5", r"x = \frac{10}{2}"),
    ("5", "a + b = 5"),
    ("5/12", "3/12 + 2/12 = 5/12"),
    (r"\pm 5", "5, -5"),
    (r"x = \pm 5", "x = 5 or x = -5"),
    (r"2 \pm \sqrt{3}", r"2+\sqrt{3}, 2-\sqrt{3}"),
    # percent and money
    ("50%", "0.5"),
    ("50%", "50"),
    ("50%", r"50\%"),
    ("0.15", "15%"),
    ("37.5%", "3/8"),
    ("15 percent", "15%"),
    ("$5", "5"),
    ("$1,234.50", "1234.5"),
    (r"\$5.00", "$5"),
    ("5 dollars", "$5"),
    ("$0.50", "50 cents"),
    # units
    ("42 kg", "42"),
    ("42 kg", "42kg"),
    ("42 kg", "42 kilograms"),
    ("42 kg", "42000 g"),
    ("3.14 m/s²", "3.14 m/s^2"),
    ("3.14 m/s^2", "3.14 meters per second squared"),
    (r"5 \text{ meters}", "5 m"),
    (r"5\,\mathrm{m}", "5 m"),
    ("28.27 cm^2", r"28.27 \text{ cm}^2"),
    ("28.27 cm^2", "28.27 square centimeters"),
    (r"2.998 \times 10^8 \text{ m/s}", "299800000 m/s"),
    ("1 km", "1000 m"),
    ("90 km/h", "25 m/s"),
    ("2 hours 30 minutes", "150 minutes"),
    ("1.5 hours", "90 min"),
    ("12 apples", "12"),
    ("12", "12 students"),
    ("30°", "30 degrees"),
    (r"180^\circ", "π"),
    ("90°", r"\frac{\pi}{2} radians"),
    ("1 ft", "12 inches"),
    ("100 cm", "1 meter"),
    ("1 L", "1000 mL"),
    ("20 °C", "20°C"),
    # formulas
    ("x+1", "1+x"),
    ("2x", "x*2"),
    ("(x+1)^2", "x^2+2x+1"),
    ("x^2 - 1", "(x-1)(x+1)"),
    (r"\frac{x}{2}", "0.5x"),
    (r"\frac{a}{b}", "a/b"),
    ("2xy", "2yx"),
    (r"\sqrt{x^2+1}", r"\sqrt{1+x^2}"),
    (r"\sin^2 x + \cos^2 x", "1"),
    (r"e^{2x}", r"(e^x)^2"),
    ("y = 2x + 3", "2x+3"),
    ("f(x) = x^2", "x^2"),
    ("x^2 + y^2 = 25", "y^2 + x^2 - 25 = 0"),
    ("2x + 4y = 6", "x + 2y = 3"),
    ("x_1 + x_2", "x_2+x_{1}"),
    # several values
    ("2, 3", "3, 2"),
    ("2 and 3", "2, 3"),
    ("x = 2 or x = 3", "{2, 3}"),
    (r"\{1, 2, 3\}", "{3,2,1}"),
    ("(1, 2)", "(1,2)"),
    (r"\left(1, \frac{1}{2}\right)", "(1, 0.5)"),
    ("(3, \\frac{\\pi}{2})", "(3, π/2)"),
    ("a=3, b=4", "b = 4, a = 3"),
    ("{5}", "5"),
    # intervals and inequalities
    ("[1, 3]", "[1,3]"),
    (r"[1, \infty)", "[1, ∞)"),
    ("x > 3", "3 < x"),
    ("x > 3", "(3, ∞)"),
    (r"x \geq 3", r"[3, \infty)"),
    ("1 < x <= 3", "(1, 3]"),
    (r"x \in [1, 3]", "[1,3]"),
    (r"(-\infty, 1) \cup (2, \infty)", r"(2,\infty)\cup(-\infty,1)"),
    # matrices
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    (r"\begin{pmatrix} 1/2 \\ 3 \end{pmatrix}", r"\begin{pmatrix}0.5\\3\end{pmatrix}"),
    # ratios, words and options
    ("3:4", "3/4"),
    ("Paris", "paris."),
    ("True", "true"),
    ("yes", r"\text{Yes}"),
    ("B", "(B)"),
    ("B", r"\text{B}"),
    ("odd", "The odd"),
]

DIFFERENT = [
    ("42", "43"),
    ("1000", "1001"),
    ("2023", "2024"),
    ("100000", "100001"),
    ("5", "-5"),
    ("3.14", "3.24"),
    ("0.5", "0.51"),
    ("3/4", "4/3"),
    ("1/3", "1/4"),
    ("1000/3", "1001/3"),
    ("1 2/3", "12/3"),
    ("1 2/3", "2/3"),
    ("1.23e4", "1.23e5"),
    ("6.022e23", "6.022e-23"),
    ("5.67 × 10⁻⁸", "5.67 × 10⁸"),
    ("1,234", "1.234"),
    (r"\pi", "3"),
    (r"2\pi", r"\pi^2"),
    (r"\sqrt{2}", "2"),
    (r"\sqrt{3}", r"\sqrt{2}"),
    ("2^{10}", "210"),
    ("8", "2^2"),
    ("3+4i", "3-4i"),
    ("x = 5", "x = 6"),
    (r"\pm 5", "5"),
    ("50%", "5"),
    ("50%", "500%"),
    ("$5", "$50"),
    ("5 kg", "5 m"),
    ("5 kg", "5 g"),
    ("1 km", "1 m"),
    ("5 m", "5 m^2"),
    ("5 s", "5 min"),
    ("$5", "€5"),
    ("20°C", "20°F"),
    ("5t", "5"),
    ("3x", "3"),
    ("5m", "5"),
    ("x^2", "2x"),
    ("x+1", "x-1"),
    ("x+1", "y+1"),
    ("(x+1)^2", "x^2+1"),
    (r"\frac{a}{b}", "b/a"),
    (r"\sin x", r"\cos x"),
    ("x^2 + y^2 = 25", "x^2 + y^2 = 5"),
    ("2x + 4y = 6", "x + 2y = 6"),
    ("2, 3", "2, 4"),
    ("2, 3", "2, 3, 4"),
    ("2, 2, 3", "2, 3, 3"),
    ("2, 3", "2"),
    ("(1, 2)", "(2, 1)"),
    ("(1, 2)", "[1, 2]"),
    ("[1, 2)", "[1, 2]"),
    ("a=3, b=4", "a=4, b=3"),
    ("x > 3", "x >= 3"),
    ("x > 3", "x < 3"),
    ("1 < x < 3", "1 < x <= 3"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
    ("3:4", "4:3"),
    ("Paris", "London"),
    ("True", "False"),
    ("yes", "no"),
    ("B", "C"),
    ("B", "(A)"),
    ("42", "forty"),
    ("0", "0.001"),
    ("0", ""),
    ("9^{9^{9^{9}}}", "9^{9^{9^{8}}}"),
]

# response, the answer it states
STATED = [
    ("80 × 0.15 = 12\n\nTherefore, 15% of 80 is 12.", "12"),
    ("Area ≈ 28.27 cm²\n\nTherefore, the area is \n\n$$\\boxed{28.27 \\text{ cm}^2}$$", "28.27 cm^2"),
    ("LCD = 12\n\n3/12 + 2/12 = 5/12\n\nTherefore, 1/4 + 1/6 = 5/12", "5/12"),
    ("2x = 10\nx = 10/2\nx = 5\n\nTherefore, the solution is x = 5.", "x = 5"),
    ("Solve the equation 2x + 5 = 15. The answer is x = 5.", "5"),
    ("\\boxed{3} was my first guess, but it is \\boxed{4}.", "4"),
    (r"We get $\boxed{\frac{3}{4}}$ as claimed in 2019.", "3/4"),
    (r"Nested: $\boxed{\text{the value } x = \frac{1}{2}}$", "1/2"),
    (r"The roots are $\boxed{2}$ and $\boxed{3}$.", "2, 3"),
    (r"so \fbox{7}", "7"),
    ("She has 48/2 = 24 clips.\n#### 72", "72"),
    ("#### 1,234", "1234"),
    ("#### $18", "18"),
    ("<think>maybe 3</think>The answer is 4.", "4"),
    ("<think>The answer is 3. Or 4?</think>\n<answer>\n5\n</answer>", "5"),
    ("<answer>The total is 15 dollars</answer>", "$15"),
    ("The answer is 12. Wait, actually the answer is 13.", "13"),
    ("The answer is 7 because 3 + 4 = 7.", "7"),
    ("The answer is not 5, it is 6.", "6"),
    ("**Final Answer:** 42", "42"),
    ("**Answer:** $\\frac{3}{4}$", "3/4"),
    ("Final Answer\n42", "42"),
    ("Final answer: -3.5", "-3.5"),
    ("Answer: 3 1/2 cups", "3.5"),
    ("The final answer is (B).", "B"),
    ("The answer is yes.", "yes"),
    ("The answer is approximately 3.14.", "3.14"),
    ("The answer is $\\dfrac{1}{2}$.", "1/2"),
    ("The answer to the question is 2/3.", "2/3"),
    ("So there are 12 eggs in 1 dozen.", "12"),
    ("So 3 + 4 = 7 apples are left", "7"),
    ("Thus the train, which has 5 cars, is 100 m long.", "100 m"),
    ("Hence, she earns $18.50 per day.", "18.5"),
    ("In total he has 5 in the box.", "5"),
    ("Therefore, $f(x) = 2x + 3$.", "2x+3"),
    ("The solutions are x = 2 or x = 3.", "2, 3"),
    ("Thus, x ∈ [1, 3].", "[1,3]"),
    ("Therefore the probability is 3/8, or 37.5%.", "3/8"),
    ("We find the minimum at x = -2. Therefore the minimum value is -4.", "-4"),
    ("It takes 2 hours and 30 minutes.", "150 min"),
    ("Step 1. Add 2 and 3.\nStep 2. Multiply by 4.\nResult: 20", "20"),
    ("The temperature is -5°C.", "-5 °C"),
    ("1. First\n2. Second\n\nSo the answer: 1,000,000.", "1000000"),
    ("5 + 5 = 10", "10"),
    ("It weighs 3.2 kg", "3.2 kg"),
    ("Adding up:\n$$\n\\sum = 55\n$$", "55"),
    ("The population grew to 1.5 × 10^6 people.", "1500000"),
    ("Therefore, the result equals 6.022 × 10²³.", "6.022e23"),
    ("Hence x = -3.", "-3"),
    ("42", "42"),
    ("So we need 3 buses for 100 people.", "3"),
    ("Thus the sum of the 10 numbers is 55.", "55"),
    ("Therefore, Tom has 4 more marbles than Ann.", "4"),
    ("Consequently the speed is 60 km/h.", "60 km/h"),
]

STATED_OTHERWISE = [
    ("The answer is 12. Wait, actually the answer is 13.", "12"),
    ("<think>The answer is 3.</think>The answer is 4.", "3"),
    ("\\boxed{3} and not 4", "4"),
    ("So there are 12 eggs in 1 dozen.", "1"),
    ("2x + 5 = 15, so 2x = 10. Therefore x = 5.", "10"),
    ("Step 3: we multiply. The answer is 8.", "3"),
    ("We know 7 × 6 = 42. Hence, the total is 43.", "42"),
    ("Therefore the slope is 2x.", "2"),
]


@pytest.mark.parametrize(("expected", "written"), SAME)
def test_the_same_value_is_recognised(expected, written):
    assert same_answer(expected, written)
    assert same_answer(written, expected)


@pytest.mark.parametrize(("expected", "written"), DIFFERENT)
def test_a_different_value_is_told_apart(expected, written):
    assert not same_answer(expected, written)


@pytest.mark.parametrize(("response", "answer"), STATED)
def test_the_stated_answer_is_found(response, answer):
    found = final_answer(response)
    assert found is not None
    assert same_answer(answer, found)


@pytest.mark.parametrize(("response", "answer"), STATED_OTHERWISE)
def test_other_numbers_in_a_response_are_not_taken_for_its_answer(response, answer):
    found = final_answer(response)
    assert found is None or not same_answer(answer, found)


STRICT = [("42 kg", "42", False), ("42", "42 kg", False), ("42 kg", "42 kg", True), ("1 km", "1000 m", True)]
STRICT += [
    ("15%", "0.15", True),
    ("15%", "15", False),
    ("5 apples", "5 apple", True),
    ("5 cats", "5 dogs", False),
]


@pytest.mark.parametrize(("expected", "written", "same"), STRICT)
def test_strict_units_have_to_be_there(expected, written, same):
    assert same_answer(expected, written, Rules(units="strict")) is same


def test_ignored_units_do_not_matter():
    assert same_answer("5 kg", "5 m", Rules(units="ignore"))


def test_a_wider_tolerance_concerns_decimals_only():
    rules = Rules(tolerance=0.01)
    assert same_answer("28.27", "28.3", rules)
    assert not same_answer("100", "101", rules)


def test_only_a_box_counts_when_only_boxes_are_asked_for():
    assert final_answer("The answer is 5.", boxed_only=True) is None
    assert final_answer(r"The answer is \boxed{6}, not 5.", boxed_only=True) == "6"
