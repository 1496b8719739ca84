"""
The engine behind asyncio: one worker thread steps, the event loop streams.

Commands reach the thread through a queue that it empties between steps; results reach the event loop
by one `call_soon_threadsafe` per step, however many requests moved. A consumer that lags finds its
deltas merged into one, so nothing grows without bound.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .config import EngineConfig
from .engine import Engine, EngineStats
from .errors import EngineDead, InvalidRequest
from .request import EngineRequest, OutputDelta

# Long enough for chunks of full speed; an abort does not wait for it, it interrupts the step.
DEFAULT_TARGET_STEP_S = 0.25


class AsyncEngine:
    """
    Owns an `Engine` and its thread.

        engine = AsyncEngine(EngineConfig("models/demo"))
        await engine.start()
        async for delta in engine.generate(request):
            ...
        await engine.shutdown()

    A request that cannot be served gets its error in its final delta; only the end of the engine
    itself is raised, as EngineDead. Leaving the loop early, or cancelling it, aborts the request.
    """

    def __init__(self, config: EngineConfig, engine: Engine | None = None) -> None:
        if config.target_step_s is None:
            config = replace(config, target_step_s=DEFAULT_TARGET_STEP_S)
        self.config = config
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._wake = threading.Condition()
        self._commands: list[Callable[[Engine], None]] = []
        self._stopping = False
        self._keys: dict[str, str] = {}
        self._streams: dict[str, _Stream] = {}
        self._num_requests = 0
        self._death: EngineDead | None = None

    async def start(self) -> None:
        """Load the model, off the event loop, and start stepping; raises ModelLoadError."""
        self._loop = asyncio.get_running_loop()
        if self._engine is None:
            self._engine = await asyncio.to_thread(Engine, self.config)
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    async def generate(self, request: EngineRequest) -> AsyncGenerator[OutputDelta, None]:
        """Deltas of one request, the last with a finish reason."""
        self._check_alive()
        if request.request_id in self._keys:
            raise InvalidRequest(f"A request with id {request.request_id!r} is being served already.")
        # The engine knows the request by a key of its own: deltas of an aborted one that are still on
        # their way must not reach a new request that reuses the id.
        self._num_requests += 1
        key = self._keys[request.request_id] = f"{self._num_requests}:{request.request_id}"
        stream = self._streams[key] = _Stream(request.request_id)
        self._submit(lambda engine: engine.add(replace(request, request_id=key)))
        finished = False
        try:
            while not finished:
                delta = await stream.next()
                finished = delta.finish_reason is not None
                yield delta
        finally:
            if not finished and self._death is None:
                self.abort(request.request_id)
            del self._streams[key], self._keys[request.request_id]

    def abort(self, request_id: str) -> None:
        """End a request; its iterator gets a final ABORT delta. Unknown ids are ignored."""
        key = self._keys.get(request_id)
        if key is not None:
            self._submit(lambda engine: engine.abort(key), interrupt=True)

    def stats(self) -> EngineStats:
        """The engine's counters, at most one step old."""
        self._check_alive()
        assert self._engine is not None
        return self._engine.stats()

    @property
    def engine(self) -> Engine:
        """The loaded engine, for its constants (`max_model_len`, `vocab_size`, `eos_ids`)."""
        if self._engine is None:
            raise EngineDead("The engine has not been started.")
        return self._engine

    async def shutdown(self) -> None:
        """Stop after the current step; pending requests get EngineDead. Calling it again does nothing."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._bury(EngineDead("The engine was shut down."))

    # --- the worker thread ---------------------------------------------------------------------

    def _work(self) -> None:
        assert self._engine is not None
        try:
            while self._obey(self._engine):
                deltas = self._engine.step()
                if deltas:
                    self._call_loop(self._deliver, deltas)
        except BaseException as fault:
            death = fault if isinstance(fault, EngineDead) else EngineDead(f"The engine stopped: {fault!r}")
            death.__cause__ = death.__cause__ or (fault if fault is not death else None)
            self._call_loop(self._bury, death)

    def _obey(self, engine: Engine) -> bool:
        """Carry out the commands, waiting for one when there is no work; False to stop."""
        with self._wake:
            while not (self._commands or self._stopping or engine.has_work):
                self._wake.wait()
            commands, self._commands = self._commands, []
            engine.set_interrupt(False)
        for command in commands:
            command(engine)
        return not self._stopping

    def _call_loop(self, function: Callable[[Any], None], argument: Any) -> None:
        assert self._loop is not None
        # The event loop may be closed already when the process ends without a shutdown.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, argument)

    # --- the event loop ------------------------------------------------------------------------

    def _submit(self, command: Callable[[Engine], None], interrupt: bool = False) -> None:
        with self._wake:
            self._commands.append(command)
            if interrupt:
                self.engine.set_interrupt(True)
            self._wake.notify()

    def _deliver(self, deltas: list[OutputDelta]) -> None:
        for delta in deltas:
            stream = self._streams.get(delta.request_id)
            if stream is not None:
                stream.put(delta)

    def _bury(self, death: EngineDead) -> None:
        self._death = self._death or death
        for stream in self._streams.values():
            stream.fail(self._death)

    def _check_alive(self) -> None:
        if self._death is not None:
            raise EngineDead(str(self._death)) from self._death
        if self._thread is None:
            raise EngineDead("The engine has not been started.")


class _Stream:
    """What one consumer has not read yet: at most one delta, later ones merged into it."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._pending: OutputDelta | None = None
        self._death: EngineDead | None = None
        self._changed = asyncio.Event()

    def put(self, delta: OutputDelta) -> None:
        delta.request_id = self._request_id
        if self._pending is None:
            self._pending = delta
        else:
            self._pending.merge(delta)
        self._changed.set()

    def fail(self, death: EngineDead) -> None:
        self._death = death
        self._changed.set()

    async def next(self) -> OutputDelta:
        await self._changed.wait()
        if self._pending is None:
            assert self._death is not None
            raise EngineDead(str(self._death)) from self._death
        delta, self._pending = self._pending, None
        if self._death is None:
            self._changed.clear()
        return delta
