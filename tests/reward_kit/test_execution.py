"""Programs run within limits, and every end is a typed one."""

import os
import shutil
import sys
import types
from pathlib import Path

import pytest

from reward_kit.errors import MissingDependencyError, UsageError
from reward_kit.execution import E2BExecutor, Limits, PistonExecutor, Program, SubprocessExecutor

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler is installed")
here = SubprocessExecutor()


def run(code, language="python", stdin="", **limits):
    return here.run(Program(code, language, stdin), Limits(**limits))


def test_a_program_reads_its_input_and_prints():
    done = run("print(input()[::-1])", stdin="abc\n")
    assert (done.status, done.stdout, done.mode) == ("ok", "cba\n", "subprocess")


def test_an_exception_is_an_error_with_its_traceback():
    done = run("raise ValueError('no')")
    assert (done.status, done.detail) == ("error", "exit status 1")
    assert "ValueError: no" in done.stderr


def test_a_crash_names_its_signal():
    assert run("import os; os.kill(os.getpid(), 6)").detail == "ended by SIGABRT"


def test_an_endless_program_is_stopped():
    done = run("print('started', flush=True)\nwhile True: pass", time_s=0.5)
    assert (done.status, done.stdout) == ("timeout", "started\n")


def test_descendants_are_stopped_too(tmp_path):
    mark = tmp_path / "pid"
    spawn = "import subprocess\np = subprocess.Popen(['sleep', '60'])\n"
    run(f"{spawn}open({str(mark)!r}, 'w').write(str(p.pid))")
    state = f"/proc/{mark.read_text()}/stat"
    assert not os.path.exists(state) or Path(state).read_text().split()[2] == "Z"


def test_endless_output_is_cut_off():
    done = run("while True: print('x' * 1000)", output_bytes=10_000)
    assert (done.status, len(done.stdout)) == ("output_limit", 10_000)


def test_too_much_memory_is_an_error():
    assert "MemoryError" in run("x = ' ' * 10**9", memory_mb=100).stderr


def test_too_large_a_file_is_an_error():
    assert run("open('f', 'w').write('x' * 5_000_000)", file_mb=1).status == "error"


def test_the_environment_is_not_inherited(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    assert "s3cret" not in run("import os; print(dict(os.environ))").stdout


def test_each_run_has_a_folder_of_its_own():
    run("open('left', 'w')")
    assert run("import os; print(os.path.exists('left'))").stdout == "False\n"


def test_input_that_is_not_read_does_no_harm():
    assert run("print(1)", stdin="x" * 1_000_000).status == "ok"


def test_output_that_is_not_text_does_no_harm():
    assert run("import sys; sys.stdout.buffer.write(b'\\xff')").stdout == "�"


def test_an_unknown_language_is_unavailable():
    assert run("x", "cobol").status == "unavailable"


@needs_node
def test_javascript_runs_and_reads_its_input():
    code = "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number); console.log(a + b)"
    assert run(code, "javascript", "2 3").stdout == "5\n"
    assert run("throw new Error('no')", "js").status == "error"


@needs_compiler
def test_c_and_cpp_are_compiled_and_run():
    assert (
        run(
            "#include <iostream>\nint main() { int a; std::cin >> a; std::cout << a * 2; }", "cpp", "4"
        ).stdout
        == "8"
    )
    assert run('#include <stdio.h>\nint main() { puts("c"); }', "c").stdout == "c\n"


@needs_compiler
def test_code_that_does_not_compile_says_why():
    done = run("int main() { return x; }", "cpp")
    assert done.status == "compile_error"
    assert "'x' was not declared" in done.stderr.replace("‘", "'").replace("’", "'")


def test_piston_runs_what_it_is_sent(loopback):
    loopback.routes["POST", "/api/v2/piston/execute"] = (
        200,
        {"run": {"stdout": "9\n", "stderr": "", "code": 0}},
    )
    executor = PistonExecutor(f"{loopback.url}/api/v2/piston", version="11.4.0")
    done = executor.run(Program("int main() {}", "cpp", "4\n5"), Limits(time_s=3, memory_mb=512))
    assert (done.status, done.stdout) == ("ok", "9\n")
    body = loopback.requests[0][3]
    assert (body["language"], body["version"], body["stdin"]) == ("c++", "11.4.0", "4\n5")
    assert (body["run_timeout"], body["run_memory_limit"]) == (3000, 512 * 2**20)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"compile": {"code": 1, "stderr": "bad"}, "run": {}}, "compile_error"),
        ({"run": {"stdout": "", "stderr": "", "code": 1}}, "error"),
        ({"run": {"stdout": "", "stderr": "", "code": None, "signal": "SIGKILL"}}, "timeout"),
        ({"message": "no such runtime"}, "unavailable"),
    ],
)
def test_each_of_pistons_answers_has_a_status(loopback, answer, status):
    loopback.routes["POST", "/execute"] = (200, answer)
    assert PistonExecutor(loopback.url).run(Program("x"), Limits()).status == status


def test_a_piston_server_that_is_gone_is_unavailable():
    assert PistonExecutor("http://127.0.0.1:1").run(Program("x"), Limits()).status == "unavailable"


class Sandbox:
    """Stands for an E2B sandbox: runs nothing, answers in the client's shape."""

    def __init__(self, stdout=(), error=None, raises=None):
        self.answer = types.SimpleNamespace(
            logs=types.SimpleNamespace(stdout=list(stdout), stderr=[]), error=error
        )
        self.raises = raises
        self.calls = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run_code(self, code, language, timeout):
        self.calls.append((code, language, timeout))
        if self.raises:
            raise self.raises
        return self.answer


def test_e2b_runs_the_code_in_a_sandbox():
    sandbox = Sandbox(stdout=["12", "0\n"])
    done = E2BExecutor("key", lambda key: sandbox).run(Program("print(120)", "python"), Limits(time_s=7))
    assert (done.status, done.stdout, done.mode) == ("ok", "120\n", "e2b")
    assert sandbox.calls == [("print(120)", "python", 7)]


def test_e2b_errors_are_typed():
    failed = Sandbox(error=types.SimpleNamespace(name="ValueError", value="no"))
    assert E2BExecutor("key", lambda key: failed).run(Program("x"), Limits()).detail == "ValueError: no"
    late = Sandbox(raises=type("TimeoutException", (Exception,), {})("late"))
    assert E2BExecutor("key", lambda key: late).run(Program("x"), Limits()).status == "timeout"
    gone = Sandbox(raises=ConnectionError("gone"))
    assert E2BExecutor("key", lambda key: gone).run(Program("x"), Limits()).status == "unavailable"


def test_e2b_input_is_read_from_memory():
    sandbox = Sandbox()
    E2BExecutor("key", lambda key: sandbox).run(Program("print(input())", "python", "two\nlines"), Limits())
    assert run(sandbox.calls[0][0]).stdout == "two\n"


def test_e2b_needs_a_key():
    with pytest.raises(UsageError, match="E2B_API_KEY"):
        E2BExecutor()


def test_e2b_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "e2b_code_interpreter", None)
    with pytest.raises(MissingDependencyError, match="pip install e2b-code-interpreter"):
        E2BExecutor("key")


def test_the_real_e2b_client_has_the_calls_that_are_used():
    e2b = pytest.importorskip("e2b_code_interpreter")
    import inspect

    assert {"code", "language", "timeout"} <= set(inspect.signature(e2b.Sandbox.run_code).parameters)
    assert callable(e2b.Sandbox.create)
