"""A channel layer of each test's own, and workers in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from channels.asgi import ChannelLayerWrapper

from channels_lts.layer import RedisChannelLayer
from channels_lts.worker import Worker
from tests.services import TIMEOUT_SCALE, Redis
from tests.worker.process import WorkerProcess


@pytest.fixture
def layer(redis_server: Redis) -> RedisChannelLayer:
    return RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:", capacity=1000)


@pytest.fixture
def start(layer: RedisChannelLayer) -> Iterator[Callable[..., Any]]:
    """A function that starts a worker in a thread: ``start([route(…)])``. It returns the worker."""
    running = []

    def begin(routing: list[Any], cls: type[Worker] = Worker, **options: Any) -> Worker:
        wrapper = ChannelLayerWrapper(layer, "default", routing)
        worker = cls(channel_layer=wrapper, signal_handlers=False, **options)
        thread = threading.Thread(target=worker.run)
        running.append((worker, thread))
        thread.start()
        return worker

    yield begin
    for worker, _ in running:
        worker.stop()
    for _, thread in running:
        thread.join(10 * TIMEOUT_SCALE)
        assert not thread.is_alive(), "the worker did not end"


@pytest.fixture
def make_process(tmp_path: Path, redis_server: Redis) -> Iterator[Callable[..., WorkerProcess]]:
    """A function that makes a worker process, not started yet: ``make_process("--threads=2")``."""
    made: list[WorkerProcess] = []

    def make(*options: str, **given: Any) -> WorkerProcess:
        directory = tmp_path / str(len(made))
        directory.mkdir()
        made.append(WorkerProcess(directory, redis_server, *options, **given))
        return made[-1]

    yield make
    for process in made:
        process.kill()
