"""
Mathematical answers: found in text, read, and compared.

    extract.py     response          ->  the text of its final answer
    normalize.py   LaTeX, Unicode    ->  plain notation
    expression.py  plain notation    ->  a tree that can be evaluated
    arithmetic.py  exact numbers where possible, bounded always
    units.py       "km/h"            ->  dimension and factor
    answer.py      what an answer can be: quantity, collection, equation, alternatives, words
    reading.py     answer text       ->  Answer
    compare.py     two answers       ->  same or not
"""

from .answer import Answer
from .compare import same_answer
from .extract import final_answer
from .reading import parse_answer

__all__ = ["Answer", "final_answer", "parse_answer", "same_answer"]
