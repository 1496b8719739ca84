"""The `reward-kit` command."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from . import __version__
from ._dataset_run import print_summary, score_dataset, write_results
from ._evaluators import EvaluatorClient
from ._loading import load_function
from .auth import get_authentication
from .errors import RewardKitError, UsageError
from .evaluation import create_evaluation, preview_evaluation
from .utils import load_jsonl

_METRICS_HELP = "metrics in the form name=path; the path holds a main.py with `evaluate`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 failed, 2 misused."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.ERROR, format="%(message)s")
    # Evaluators lie in the user's working directory, which a console script does not search.
    sys.path.insert(0, os.getcwd())
    try:
        return int(options.command(options) or 0)
    except (RewardKitError, ImportError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reward-kit", description="Write, try and deploy reward functions.")
    parser.add_argument("--version", action="version", version=f"reward-kit {__version__}")
    parser.set_defaults(command=None, verbose=False)
    commands = parser.add_subparsers(title="commands")

    preview = _command(commands, "preview", _preview, "score sample conversations with metrics")
    preview.add_argument(
        "--metrics-folders", nargs="+", required=True, metavar="NAME=PATH", help=_METRICS_HELP
    )
    preview.add_argument(
        "--samples", required=True, metavar="FILE", help="JSONL file of sample conversations"
    )
    preview.add_argument(
        "--max-samples", type=_positive, default=5, metavar="N", help="at most N samples (5)"
    )
    preview.add_argument("--output", metavar="FILE", help="also write the results to this JSON file")
    preview.add_argument("--local", action="store_true", help="score here, even with an API key at hand")

    deploy = _command(commands, "deploy", _deploy, "create an evaluator on the platform")
    deploy.add_argument("--id", required=True, help="id of the evaluator")
    deploy.add_argument(
        "--metrics-folders", nargs="+", required=True, metavar="NAME=PATH", help=_METRICS_HELP
    )
    deploy.add_argument("--display-name", help="name for people")
    deploy.add_argument("--description", help="what the evaluator is for")
    deploy.add_argument("--force", action="store_true", help="replace an evaluator that has this id")
    deploy.add_argument("--providers", type=_json, metavar="JSON", help="list of model providers")

    run = _command(commands, "run", _run, "score a dataset here with one reward function")
    run.add_argument("--reward", required=True, metavar="MODULE:FUNCTION", help="the reward function")
    run.add_argument("--dataset", required=True, metavar="FILE", help="JSONL file; columns become arguments")
    run.add_argument(
        "--kwargs", type=_json, default={}, metavar="JSON", help="further arguments for each row"
    )
    run.add_argument("--max-samples", type=_positive, metavar="N", help="at most N rows")
    run.add_argument("--workers", type=_positive, default=1, metavar="N", help="rows in flight (1)")
    run.add_argument("--output", metavar="FILE", help="write one result per row to this JSONL file")

    _command(commands, "list", _list, "list the evaluators of the account")
    delete = _command(commands, "delete", _delete, "delete an evaluator")
    delete.add_argument("--id", required=True, help="id of the evaluator")
    return parser


def _command(commands: Any, name: str, function: Any, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=help.capitalize() + "."
    )
    parser.add_argument("--verbose", action="store_true", help="show what goes on")
    parser.set_defaults(command=function)
    return parser


def _preview(options: argparse.Namespace) -> int:
    result = preview_evaluation(
        metric_folders=options.metrics_folders,
        sample_file=options.samples,
        max_samples=options.max_samples,
        local=True if options.local else None,
    )
    result.display()
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(result.to_dict(), file, indent=2)
    return 0 if all(sample.success for sample in result.results) else 1


def _deploy(options: argparse.Namespace) -> None:
    created = create_evaluation(
        options.id,
        options.metrics_folders,
        display_name=options.display_name,
        description=options.description,
        force=options.force,
        providers=options.providers,
    )
    print(f"Deployed evaluator: {created.get('name', options.id)}")


def _run(options: argparse.Namespace) -> int:
    if not isinstance(options.kwargs, dict):
        raise UsageError("--kwargs must be a JSON object")
    function = load_function(options.reward)
    rows = load_jsonl(options.dataset, options.max_samples)
    results = list(score_dataset(function, rows, options.workers, **options.kwargs))
    if options.output:
        write_results(results, options.output)
    print_summary(results, sys.stdout)
    return 0 if all(result.is_score_valid for result in results) else 1


def _list(_: argparse.Namespace) -> None:
    for evaluator in EvaluatorClient(get_authentication()).list():
        print(
            f"{evaluator.get('name', '')}  {evaluator.get('state', '')}  {evaluator.get('displayName', '')}"
        )


def _delete(options: argparse.Namespace) -> None:
    EvaluatorClient(get_authentication()).delete(options.id)
    print(f"Deleted evaluator: {options.id}")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not valid JSON: {error}") from error
