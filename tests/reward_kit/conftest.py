"""A conversation factory and a real HTTP server on the loopback interface."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def chat():
    """Make a conversation: one question, one response."""

    def make(response, question="What is the answer?"):
        return [{"role": "user", "content": question}, {"role": "assistant", "content": response}]

    return make


class Loopback:
    """Answers each request with what `routes` holds for it, and remembers the requests."""

    def __init__(self):
        self.routes = {}
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                server.requests.append((self.command, self.path, dict(self.headers), body))
                status, answer = server.routes.get(
                    (self.command, self.path.split("?")[0]), (404, {"error": "no"})
                )
                answer = answer(self.path, body) if callable(answer) else answer
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def loopback():
    server = Loopback()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No credentials, no configured server, and a home folder of the test's own."""
    for name in (
        "FIREWORKS_API_KEY", "FIREWORKS_ACCOUNT_ID", "FIREWORKS_API_BASE", "SPARREL_API_KEY",
        "SPARREL_ACCOUNT_ID", "SPARREL_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL",
        "E2B_API_KEY", "RK_ENDPOINT_API_KEY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def platform_account(monkeypatch, loopback):
    """Credentials for the loopback server, which plays the platform."""
    monkeypatch.setenv("FIREWORKS_API_KEY", "key-1")
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "team")
    monkeypatch.setenv("FIREWORKS_API_BASE", loopback.url)
    return loopback
