"""The platform's error tree: one class per failure that a client can see.

    SparrelError
    ├── InvalidArgument            400  the request is malformed; the message names the field
    │   ├── OutOfRange             400  a page token or position past the end
    │   └── ContextLengthExceeded  400  the prompt does not fit the model's context
    ├── FailedPrecondition         400  well-formed, but the resource's state forbids it
    ├── Unauthenticated            401  no key, or a key that is not (any longer) valid
    ├── PaymentRequired            402  the account is suspended or over its spend limit
    ├── PermissionDenied           403  the key is valid but may not do this
    ├── NotFound                   404  absent, or another account's: the two look the same
    │   └── ModelNotFound          404  inference on a model that nobody serves to this caller
    ├── MethodNotAllowed           405  the path exists with another verb
    ├── AlreadyExists              409  a resource of that name exists
    ├── Aborted                    409  lost a race with another writer; read again and retry
    ├── AdapterUnusable            412  a LoRA that failed to load
    ├── PayloadTooLarge            413  body over the limit
    ├── ResourceExhausted          429  a rate limit or quota; `retry_after_s` says when to come back
    ├── Internal                   500  a fault of ours
    ├── Unimplemented              501  not offered here
    ├── BadGateway                 502  a replica answered with something that is not an answer
    ├── Unavailable                503  nobody can serve this now
    │   └── StorageFull            503  the disk is full; nothing was stored
    └── DeadlineExceeded           504  gave up waiting, e.g. for a cold start

Each class has a stable gRPC code name (`code`) and an HTTP status. The control plane renders an error as a
bare google.rpc.Status (`status_body`), the inference API in OpenAI's envelope (`openai_body`); both
renderings live here and nowhere else. Clients map a response back with `from_response`.
"""

from __future__ import annotations

from typing import Any, ClassVar

GRPC_NUMBERS = {
    "OK": 0,
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}

_NAMES = {number: name for name, number in GRPC_NUMBERS.items()}


class SparrelError(Exception):
    """Base of every error a client can see; `message` is written for that client."""

    code: ClassVar[str] = "UNKNOWN"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    def status_body(self) -> dict[str, Any]:
        """Return the control plane's body: a bare google.rpc.Status."""
        return {"code": GRPC_NUMBERS[self.code], "message": self.message, "details": []}

    def openai_body(self) -> dict[str, Any]:
        """Return the inference API's body: OpenAI's `error` envelope."""
        kind = "invalid_request_error" if self.http_status < 500 else "internal_server_error"
        error = {"object": "error", "type": kind, "code": self.code, "message": self.message}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}

    def headers(self) -> dict[str, str]:
        """Return response headers that belong to this error (`Retry-After`)."""
        if self.retry_after_s is None:
            return {}
        return {"Retry-After": str(max(1, round(self.retry_after_s)))}


class InvalidArgument(SparrelError):
    code, http_status = "INVALID_ARGUMENT", 400


class OutOfRange(InvalidArgument):
    code = "OUT_OF_RANGE"


class ContextLengthExceeded(InvalidArgument):
    pass


class FailedPrecondition(SparrelError):
    code, http_status = "FAILED_PRECONDITION", 400


class Unauthenticated(SparrelError):
    code, http_status = "UNAUTHENTICATED", 401


class PaymentRequired(SparrelError):
    code, http_status = "FAILED_PRECONDITION", 402


class PermissionDenied(SparrelError):
    code, http_status = "PERMISSION_DENIED", 403


class NotFound(SparrelError):
    code, http_status = "NOT_FOUND", 404


class ModelNotFound(NotFound):
    """The message is fixed: shipped clients match on its text to keep waiting for a deployment."""

    def __init__(self, message: str = "Model not found, inaccessible, and/or not deployed") -> None:
        super().__init__(message, param="model")


class MethodNotAllowed(SparrelError):
    code, http_status = "UNIMPLEMENTED", 405


class AlreadyExists(SparrelError):
    code, http_status = "ALREADY_EXISTS", 409


class Aborted(SparrelError):
    code, http_status = "ABORTED", 409


class AdapterUnusable(SparrelError):
    code, http_status = "FAILED_PRECONDITION", 412


class PayloadTooLarge(SparrelError):
    code, http_status = "INVALID_ARGUMENT", 413


class ResourceExhausted(SparrelError):
    code, http_status = "RESOURCE_EXHAUSTED", 429


class Internal(SparrelError):
    code, http_status = "INTERNAL", 500


class Unimplemented(SparrelError):
    code, http_status = "UNIMPLEMENTED", 501


class BadGateway(SparrelError):
    code, http_status = "UNAVAILABLE", 502


class Unavailable(SparrelError):
    code, http_status = "UNAVAILABLE", 503


class StorageFull(Unavailable):
    pass


class DeadlineExceeded(SparrelError):
    code, http_status = "DEADLINE_EXCEEDED", 504


# Where two classes share a status, the broader one stands for it on the client's side.
_BY_STATUS: dict[int, type[SparrelError]] = {
    400: InvalidArgument,
    401: Unauthenticated,
    402: PaymentRequired,
    403: PermissionDenied,
    404: NotFound,
    405: MethodNotAllowed,
    409: Aborted,
    412: AdapterUnusable,
    413: PayloadTooLarge,
    429: ResourceExhausted,
    500: Internal,
    501: Unimplemented,
    502: BadGateway,
    503: Unavailable,
    504: DeadlineExceeded,
}
_BY_CODE: dict[str, type[SparrelError]] = {
    "FAILED_PRECONDITION": FailedPrecondition,
    "ALREADY_EXISTS": AlreadyExists,
    "OUT_OF_RANGE": OutOfRange,
}


def from_response(http_status: int, body: Any) -> SparrelError:
    """Return the error that a server's answer stands for, whichever of the two bodies it has."""
    inner = body.get("error", body) if isinstance(body, dict) else {}
    inner = inner if isinstance(inner, dict) else {"message": str(inner)}
    code = inner.get("code")
    name = _NAMES.get(code) if isinstance(code, int) else code
    message = inner.get("message") or (body if isinstance(body, str) else "") or f"HTTP {http_status}"
    kind = _BY_STATUS.get(http_status, Internal if http_status >= 500 else InvalidArgument)
    refined = _BY_CODE.get(name or "", kind)
    kind = refined if refined.http_status == http_status else kind
    return kind(message, param=inner.get("param"))
