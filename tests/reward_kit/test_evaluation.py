"""Metric folders, previews here and on the platform, deployment, credentials, and the command line."""

import json
import sys

import pytest

from reward_kit import load_jsonl, reward_function
from reward_kit._deploy import evaluator_source
from reward_kit.auth import get_authentication, get_fireworks_api_base
from reward_kit.cli import main
from reward_kit.errors import ApiError, AuthenticationError, SampleFileError, UsageError
from reward_kit.evaluation import create_evaluation, preview_evaluation

WORD_COUNT = """
from reward_kit import EvaluateResult, MetricResult, reward_function

@reward_function
def evaluate(messages, original_messages=None, **kwargs):
    count = len((messages[-1].content or "").split())
    score = min(count / 100, 1.0)
    metrics = {"word_count": MetricResult(score=score, reason="words")}
    return EvaluateResult(score=score, reason=f"Word count: {count}", metrics=metrics)
"""
PLAIN = """
def evaluate(messages, ground_truth: Optional[str] = None):
    return {"score": float(ground_truth == "x")}
"""
SAMPLES = [
    {"messages": [{"role": "user", "content": "Tell me"}, {"role": "assistant", "content": "one " * 50}]},
    {
        "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "one"}],
        "ground_truth": "x",
    },
]
THRESHOLD = 10
UNUSED = "must not be uploaded"


def helper(count):
    return min(count / THRESHOLD, 1.0)


@reward_function
def deployable(messages, **kwargs):
    return helper(len(messages[-1].text.split()))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A working directory with two metric folders and a samples file."""
    for name, source in (("word_count", WORD_COUNT), ("plain", PLAIN)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text(source)
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, SAMPLES)) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_local_preview_scores_each_sample(project, capsys):
    result = preview_evaluation(metric_folders=["word_count=./word_count"], sample_file="samples.jsonl")
    assert [sample.score for sample in result.results] == [0.5, 0.01]
    assert (result.mode, result.total_samples) == ("local", 2)
    result.display()
    assert "Sample 1: ok, score 0.500" in capsys.readouterr().out


def test_several_metrics_are_averaged_and_listed(project):
    result = preview_evaluation(["a=word_count", "b=plain"], sample_file="samples.jsonl")
    assert result.results[1].score == pytest.approx(0.505)
    assert set(result.results[1].per_metric_evals) == {"a", "a.word_count", "b"}


def test_a_metric_folder_can_have_modules_of_its_own(project):
    for name, value in (("one", 0.25), ("two", 0.75)):
        (project / name).mkdir()
        (project / name / "helper.py").write_text(f"VALUE = {value}\n")
        (project / name / "main.py").write_text(
            "from helper import VALUE\ndef evaluate(messages):\n    return VALUE\n"
        )
    result = preview_evaluation(["one=one", "two=two"], sample_file="samples.jsonl", max_samples=1)
    assert [metric["score"] for metric in result.results[0].per_metric_evals.values()] == [0.25, 0.75]
    assert "helper" not in sys.modules


def test_a_failing_metric_is_reported_as_failed(project):
    (project / "plain" / "main.py").write_text("def evaluate(messages):\n    raise KeyError('x')\n")
    result = preview_evaluation(["plain=plain"], sample_file="samples.jsonl")
    assert [sample.success for sample in result.results] == [False, False]
    assert "KeyError" in result.results[0].reason


def test_a_preview_limits_its_samples(project):
    assert preview_evaluation(["a=plain"], sample_file="samples.jsonl", max_samples=1).total_samples == 1


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["clarity=./nowhere"], "Metrics folder not found: ./nowhere"),
        (["word_count"], "expected 'name=path'"),
        (None, "exactly one of"),
    ],
)
def test_a_wrong_metric_folder_is_explained(project, folders, words):
    with pytest.raises(UsageError, match=words):
        preview_evaluation(folders, sample_file="samples.jsonl")


@pytest.mark.parametrize("source", ["def score(messages): ...", "def evaluate(:"])
def test_a_metric_must_define_evaluate(project, source):
    with pytest.raises(UsageError, match=r"main\.py|python_code"):
        preview_evaluation(python_code_to_evaluate=source, sample_file="samples.jsonl")


@pytest.mark.parametrize("line", ["{", "[1]"])
def test_a_bad_line_of_samples_is_named(tmp_path, line):
    (tmp_path / "bad.jsonl").write_text(f"{{}}\n\n{line}\n")
    with pytest.raises(SampleFileError, match=r"valid JSONL file. \(line 3"):
        load_jsonl(tmp_path / "bad.jsonl")


def test_a_remote_preview_sends_code_and_samples(project, platform_account):
    answer = {
        "results": [
            {"success": "true", "score": 0.5, "perMetricEvals": {"a": {"score": 0.5, "reason": "r"}}}
        ],
        "totalSamples": 1,
        "totalRuntimeMs": "12",
    }
    platform_account.routes["POST", "/v1/accounts/team/evaluators:previewEvaluator"] = (200, answer)
    result = preview_evaluation(["a=word_count"], sample_file="samples.jsonl", max_samples=1)
    assert (result.mode, result.total_runtime_ms, result.results[0].success) == ("remote", 12, True)
    body = platform_account.requests[0][3]
    assert body["evaluator"]["criteria"][0]["codeSnippets"]["fileContents"]["main.py"] == WORD_COUNT
    assert [json.loads(row) for row in body["sampleData"]] == SAMPLES[:1]
    assert (body["maxSamples"], body["evaluator"]["multiMetrics"]) == (1, True)


def test_a_failing_platform_is_an_error_and_nothing_is_simulated(project, platform_account):
    platform_account.routes["POST", "/v1/accounts/team/evaluators:previewEvaluator"] = (
        500,
        {"message": "boom"},
    )
    with pytest.raises(ApiError, match="500: boom"):
        preview_evaluation(["a=word_count"], sample_file="samples.jsonl")


def test_an_evaluator_is_created(project, platform_account):
    platform_account.routes["POST", "/v1/accounts/team/evaluators"] = (
        200,
        {"name": "accounts/team/evaluators/e"},
    )
    created = create_evaluation("e", ["a=word_count"], display_name="E", description="d")
    assert created["name"] == "accounts/team/evaluators/e"
    body = platform_account.requests[0][3]
    assert (body["evaluatorId"], body["evaluator"]["displayName"]) == ("e", "E")


def test_force_replaces_an_evaluator_whether_or_not_it_exists(project, platform_account):
    platform_account.routes["POST", "/v1/accounts/team/evaluators"] = (200, {"name": "e"})
    create_evaluation("e", ["a=word_count"], force=True)
    assert [(method, path.rpartition("/")[2]) for method, path, *_ in platform_account.requests] == [
        ("DELETE", "e"),
        ("POST", "evaluators"),
    ]


def test_deploy_uploads_the_function_with_what_it_needs_and_nothing_else(platform_account):
    platform_account.routes["POST", "/v1/accounts/team/evaluators"] = (
        200,
        {"name": "accounts/team/evaluators/w"},
    )
    providers = [{"providerType": "anthropic", "modelId": "m"}]
    assert deployable.deploy(name="w", description="d", providers=providers) == "w"
    body = platform_account.requests[0][3]["evaluator"]
    source = body["criteria"][0]["codeSnippets"]["fileContents"]["main.py"]
    assert "THRESHOLD = 10" in source
    assert "def helper" in source
    assert "UNUSED" not in source
    assert body["providers"] == providers


def test_the_uploaded_source_scores_as_the_function_does(project):
    (project / "deployed").mkdir()
    (project / "deployed" / "main.py").write_text(evaluator_source(deployable))
    result = preview_evaluation(["d=deployed"], sample_file="samples.jsonl")
    assert [sample.score for sample in result.results] == [
        deployable(row["messages"]).score for row in SAMPLES
    ]


def test_a_function_inside_another_can_be_uploaded_unless_it_needs_its_surroundings(project):
    limit = 5

    @reward_function
    def alone(messages, **kwargs):
        return 0.5

    @reward_function
    def bound(messages, **kwargs):
        return limit

    source = evaluator_source(alone)
    result = preview_evaluation(python_code_to_evaluate=source, sample_file="samples.jsonl", max_samples=1)
    assert result.results[0].score == 0.5
    with pytest.raises(UsageError, match="move it to module level"):
        evaluator_source(bound)


def test_deploy_without_credentials_is_a_value_error():
    with pytest.raises(ValueError, match="FIREWORKS_API_KEY"):
        deployable.deploy(name="w")


@pytest.mark.parametrize(
    ("status", "words"), [(401, "Authentication failed. Check your API key."), (403, "Permission denied")]
)
def test_a_refused_key_is_explained(platform_account, status, words):
    platform_account.routes["POST", "/v1/accounts/team/evaluators"] = (status, {"error": "no"})
    with pytest.raises(ApiError, match=words):
        deployable.deploy(name="w")


def test_credentials_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("FIREWORKS_API_KEY", "k")
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "a")
    account, key = get_authentication()
    assert (account, key) == ("a", "k")
    assert "k'" not in repr(get_authentication())


@pytest.mark.parametrize("text", ["[fireworks]\napi_key = k\naccount_id = a\n", 'api_key="k"\naccount_id=a'])
def test_credentials_come_from_the_file_with_or_without_a_section(tmp_path, text):
    (tmp_path / ".fireworks").mkdir()
    (tmp_path / ".fireworks" / "auth.ini").write_text(text)
    assert get_authentication() == ("a", "k")


def test_missing_credentials_say_what_to_set(monkeypatch):
    with pytest.raises(AuthenticationError, match="FIREWORKS_API_KEY"):
        get_authentication()
    monkeypatch.setenv("FIREWORKS_API_KEY", "k")
    with pytest.raises(AuthenticationError, match="FIREWORKS_ACCOUNT_ID"):
        get_authentication()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIREWORKS_API_BASE", "http://h:1/"),
        ("FIREWORKS_API_BASE", "http://h:1/inference/v1"),
        ("SPARREL_BASE_URL", "http://h:1"),
    ],
)
def test_the_server_is_found_in_either_meaning_of_the_variable(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert get_fireworks_api_base() == "http://h:1"


def test_the_command_previews_and_writes_the_results(project, capsys):
    arguments = ["preview", "--metrics-folders", "w=./word_count", "--samples", "samples.jsonl", "--local"]
    assert main([*arguments, "--output", "out.json"]) == 0
    assert "Preview (local): 2 samples" in capsys.readouterr().out
    assert json.loads((project / "out.json").read_text())["totalSamples"] == 2


def test_the_command_scores_a_dataset_and_draws_a_histogram(project, capsys):
    (project / "my_rewards.py").write_text(
        "def short(messages, limit=10):\n    return len(messages[-1].text) < limit\n"
    )
    arguments = ["run", "--reward", "my_rewards:short", "--dataset", "samples.jsonl", "--output", "out.jsonl"]
    assert main([*arguments, "--workers", "2", "--kwargs", '{"limit": 5}']) == 0
    assert [row["score"] for row in load_jsonl(project / "out.jsonl")] == [0.0, 1.0]
    shown = capsys.readouterr().out
    assert "mean: 0.5000" in shown
    assert " 0.90 to  1.00 | ████" in shown


def test_the_command_deploys_lists_and_deletes(project, platform_account, capsys):
    routes = platform_account.routes
    routes["POST", "/v1/accounts/team/evaluators"] = (200, {"name": "accounts/team/evaluators/e"})
    routes["DELETE", "/v1/accounts/team/evaluators/e"] = (200, {})
    routes["GET", "/v1/accounts/team/evaluators"] = (
        200,
        lambda path, _: (
            {"evaluators": [{"name": "e2"}]}
            if "pageToken=t" in path
            else {"evaluators": [{"name": "e1"}], "nextPageToken": "t"}
        ),
    )
    assert main(["deploy", "--id", "e", "--metrics-folders", "w=word_count", "--providers", "[]"]) == 0
    assert main(["list"]) == 0
    assert main(["delete", "--id", "e"]) == 0
    shown = capsys.readouterr().out
    assert [word for word in shown.split() if word in ("e1", "e2")] == ["e1", "e2"]
    assert "Deployed evaluator: accounts/team/evaluators/e" in shown


def test_the_command_explains_what_is_wrong(project, capsys):
    assert main(["preview", "--metrics-folders", "c=./no", "--samples", "samples.jsonl"]) == 1
    assert capsys.readouterr().err == "Error: Metrics folder not found: ./no\n"
    with pytest.raises(SystemExit) as exit_:
        main(["preview", "--metrics-folders", "c=word_count", "--samples", "s", "--max-samples", "0"])
    assert exit_.value.code == 2
    assert main([]) == 2
