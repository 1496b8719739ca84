"""
Running code that a model wrote.

    Executor            the one method that every way of running offers
    SubprocessExecutor  here, in a child process with limits (no sandbox: see its docstring)
    E2BExecutor         in an E2B cloud sandbox
    PistonExecutor      on a Piston server

    code_blocks         code out of a Markdown answer
    output_similarity   how far an output is the expected one
"""

from .base import Execution, Executor, Limits, Program
from .code_blocks import code_blocks
from .e2b import E2BExecutor
from .output import output_similarity
from .piston import PistonExecutor
from .subprocess_executor import SubprocessExecutor

__all__ = [
    "E2BExecutor",
    "Execution",
    "Executor",
    "Limits",
    "PistonExecutor",
    "Program",
    "SubprocessExecutor",
    "code_blocks",
    "output_similarity",
]
