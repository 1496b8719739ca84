"""
Mathematical answers: found in text, read, and compared.

    extract.py     response          ->  the text of its final answer
    normalize.py   LaTeX, Unicode    ->  plain notation
    expression.py  plain notation    ->  a tree that can be evaluated
    units.py       "km/h"            ->  dimension and factor
    answer.py      answer text       ->  Answer (number, quantity, collection, relation, words)
    compare.py     two answers       ->  same or not
"""

from .answer import Answer, parse_answer
from .compare import same_answer
from .extract import final_answer

__all__ = ["Answer", "final_answer", "parse_answer", "same_answer"]
