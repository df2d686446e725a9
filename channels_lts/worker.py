"""The worker's loop: small batches where the channel layer has them, and an end at which nothing is lost."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from channels import worker as upstream
from channels.message import Message

from channels_lts import conf
from channels_lts.activity import Activity
from channels_lts.consuming import Consuming
from channels_lts.finding import Finding
from channels_lts.intake import Intake, intake
from channels_lts.pending import Held, Pending
from channels_lts.relief import Relief
from channels_lts.replies import Replies
from channels_lts.stopping import Stopping
from channels_lts.time_limit import TimeLimit
from channels_lts.worker_limits import Allowance, WorkerLimits

logger = logging.getLogger(__name__)

# A consumer that takes longer than this does not share a batch, and nobody's reply waits for it. Seconds.
_SLOW = 0.002
# After so long the rest of a batch goes back, for other workers. Seconds.
_LONGEST_BATCH = 0.02
# What we expect of a consumer's next run follows the last one: down by this share of the difference, up by no more than
# this factor. One run that was held up, by the machine or a lock, so does not make a quick consumer a slow one.
_DOWN = 0.2
_UP = 1.5
# Seconds before a loop that died begins again: at first, and at most.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Worker(upstream.Worker):
    """Runs consumers, one message after the other, on any channel layer.

    Takes the arguments of Channels' worker, and ``limits``. How it ends is in ``docs/workers.md``; after :meth:`run`,
    ``start_over`` says whether SIGHUP asked for a new start.
    """

    def __init__(
        self, *args: Any, limits: WorkerLimits | None = None, activity: Activity | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.limits = limits or WorkerLimits()
        self.activity = activity or Activity()
        self.start_over = False
        # Called when it listens, and when it stops taking messages; and what ends with the process that started this.
        self.on_listening: Callable[[], None] = _nothing
        self.on_stop: Callable[[], None] = _nothing
        self.lifeline: socket.socket | None = None
        self._replies = Replies(self.channel_layer, self.activity)
        self._consuming = Consuming(self._replies, self.activity, sender=self.__class__, retries=self.message_retries)
        self._finding = Finding(self.channel_layer, self.activity, retries=self.message_retries)
        self._allowance = Allowance(self.limits, self.activity)
        self._stopping: Stopping | None = None
        self._ended = threading.Event()
        self._intake: Intake | None = None
        self._limit = 1
        self._pending = Pending(self.activity)
        self._halted = False
        # When the message at hand was begun (monotonic); None between two batches.
        self._began: float | None = None
        # Seconds that a run of each consumer is expected to take.
        self._expected: dict[Any, float] = {}

    # --- The end ---

    def install_signal_handler(self) -> None:
        self._stopping = Stopping(self, timeout=self.limits.stop_timeout, lifeline=self.lifeline)
        self._stopping.install()

    def sigterm_handler(self, signo: int, stack_frame: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """End after what was popped. From any thread."""
        self.termed = True
        self.on_stop()
        self._ended.set()
        if self._intake is not None:
            self._intake.wake()

    def finish(self, reason: str) -> None:
        """End after what was popped, within ``stop_timeout`` where signals are ours. From any thread."""
        if self._stopping is not None:
            self._stopping.begin(reason)
        else:
            logger.info("ending after what was begun: %s", reason)
            self.stop()

    def start_again(self) -> None:
        """End after what was popped, with ``start_over``: the code has changed. From any thread."""
        self.start_over = True
        self.finish("the code has changed; it starts over then")

    def give_back(self) -> None:
        """Put back what was taken and not begun, and send what ended consumers left. From any thread.

        No message is begun from then on. A consumer that runs is not waited for.
        """
        self._halted = True
        # What a pop brings now has to go back too.
        self._pending.wait_for_take(conf.get("REDIS_TIMEOUT"))
        if self._intake is not None:
            self._pending.put_back(self._intake, halted=True)
        self._replies.flush(retry_for=0)

    def relieve(self, patience: float) -> None:
        """Where the message at hand takes more than *patience* seconds, let nobody wait for it. From any thread.

        What was taken with it goes back to other workers; what consumers before it have sent leaves.
        """
        began, messages = self._began, self._intake
        if began is None or messages is None or time.monotonic() - began < patience:
            return
        if self._pending:
            self._return(messages)
        self._replies.flush()

    # --- The loop ---

    def run(self) -> None:
        """Run consumers until :meth:`stop`. Whatever fails, the loop goes on."""
        if self.signal_handlers:
            self.install_signal_handler()
        limit = self._watch_consumers()
        relief = Relief(worker.relieve for worker in self._members())
        relief.start()
        try:
            self._run_all()
        finally:
            relief.stop()
            if limit is not None:
                limit.stop()
            if self._stopping is not None:
                self._stopping.close()
                self._stopping = None

    def _watch_consumers(self) -> TimeLimit | None:
        if not self.limits.consumer_timeout:
            return None
        limit = TimeLimit(
            self.activity,
            seconds=self.limits.consumer_timeout,
            abort=self.limits.abort_consumers,
            on_stuck=self._stopping.stuck if self._stopping else _nothing_with,
        )
        for worker in self._members():
            worker._consuming.end = limit.end
        limit.start()
        return limit

    def _members(self) -> Iterator[Worker]:
        yield self

    def _run_all(self) -> None:
        self._keep_running()

    def _keep_running(self) -> None:
        """Run the loop, again and again should it die."""
        pause = _FIRST_PAUSE
        while not self.termed:
            began = time.monotonic()
            try:
                self._loop()
            except BaseException:
                self.activity.count("thread_deaths")
                pause = _FIRST_PAUSE if time.monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
                logger.exception("thread %s died; it is replaced in %.1f s", threading.current_thread().name, pause)
                self._ended.wait(pause)

    def _loop(self) -> None:
        channels = sorted(self.apply_channel_filters(self.channel_layer.router.channels))
        logger.info("listening on channels %s", ", ".join(channels))
        messages = self._intake = intake(self.channel_layer, channels)
        self.on_listening()
        try:
            while not self.termed:
                self._run_batch(messages)
        finally:
            self._pending.put_back(messages, halted=self._halted)
            messages.close()

    def _run_batch(self, messages: Intake) -> None:
        self._pending.take(messages, self._allowance.at_most(self._limit))
        handled = 0
        if self._pending:
            self._limit = min(self._limit * 2, conf.get("WORKER_BATCH"))
            began = time.monotonic()
            while not self._halted and (held := self._pending.pop()) is not None:
                self._began = time.monotonic()
                handled += self._handle(messages, held)
                if self._pending and time.monotonic() - began > _LONGEST_BATCH:
                    self._return(messages)
            self._began = None
            self._replies.flush()
        reason = self._allowance.used(handled)
        if reason and not self.termed:
            self.finish(reason)

    def _return(self, messages: Intake) -> None:
        """Give the rest of the batch back, for workers that are free sooner; and take less next time."""
        self._limit = 1
        # What cannot be put back is still ours, and so ours to do.
        self._pending.put_back(messages, halted=self._halted)

    def _handle(self, messages: Intake, held: Held) -> int:
        """Serve what was taken, and what joins it; returns how many were taken for that."""
        count = 1
        try:
            for message in self._finding.open(messages, held):
                found = self._finding.find(message)
                if found is not None:
                    if self.callback:
                        self.callback(message.channel.name, message)
                    count += self._serve(messages, *found, message)
        except BaseException:
            self.activity.count("worker_errors")
            logger.exception("a message is lost: something failed around its consumer")
        return count

    def _serve(self, messages: Intake, consumer: Any, kwargs: dict[str, Any], message: Message) -> int:
        """Run *consumer* for *message*, and for what joins it; returns how many those were."""
        alone = [(message, kwargs)]
        company = self._finding.company(self._pending, messages, consumer, message)
        if company:
            group = alone + company
            # Nobody waits for so many.
            self._replies.flush()
            left = self._consuming.run_together(consumer, [each for each, _ in group])
            alone = [(each, found) for each, found in group if any(each is other for other in left)]
        for each, found in alone:
            self._run(messages, consumer, found, each)
        return len(company)

    def _run(self, messages: Intake, consumer: Any, kwargs: dict[str, Any], message: Message) -> None:
        expected = self._expected.get(consumer)
        if expected is None or expected > _SLOW:
            # Nobody waits for a slow one, or one that we do not know yet: neither replies nor messages.
            self._replies.flush()
            if self._pending:
                self._return(messages)
        took = self._consuming.run(consumer, kwargs, message, last=not self._pending)
        if expected is not None:
            took = min(took, expected * _UP) if took > expected else expected + (took - expected) * _DOWN
        self._expected[consumer] = took


def _nothing() -> None:
    pass


def _nothing_with(run: Any) -> None:
    pass
