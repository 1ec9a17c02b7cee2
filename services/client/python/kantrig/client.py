"""One lane to kantrigd: the same semantics as the C++ client (client/client.hpp)."""
import concurrent.futures
import time

from kantrig.answer import Outcome
from kantrig.batch import rows_to_payload
from kantrig.lane import PROTOCOL, Lane
from kantrig.session import Busy, Refused
from kantrig.v1 import event_pb2
from kantrig.window import Pending


class Client(Lane):
    """Every batch that submit() took gets exactly one answer, whatever becomes of the connection or the daemon.

    Nothing happens on its own: call poll() (or a method that waits) often enough. One thread.
    """

    def __init__(self, endpoint="ipc:///run/kantrig/events", source=1, lane=0, name=None, *, connect_timeout_s=5.0,
                 batches_pending_max=1024, resend_after_s=2.0, retry_after_s=0.01, silence_max_s=None):
        super().__init__(endpoint, source, lane, name, batches_pending_max=batches_pending_max,
                         resend_after_s=resend_after_s, retry_after_s=retry_after_s, silence_max_s=silence_max_s)
        self._next_event_id = 0
        try:
            if not self._run_until(lambda: self.connected or self._refusal, time.monotonic() + connect_timeout_s):
                raise TimeoutError(f"{endpoint}: no welcome within {connect_timeout_s} s: is kantrigd running?")
            if self._refusal:
                raise Refused(self._refusal)
        except BaseException:
            self._shut()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None and self._dealer is not None:
            self.close()
        else:
            self.abandon()

    @property
    def pending(self):
        """Batches without an answer."""
        return len(self._window)

    def submit(self, rows, *, feature_count=None, encoding=None, first_event_id=None, run=0, want_lines=False,
               want_classes=False, want_scores=False, callback=None):
        """Takes a batch and returns a concurrent.futures.Future of its Decisions, which becomes done within a later poll():
        waiting for it without polling waits forever. `callback(decisions)`, if given, is called there too."""
        payload, event_count, feature_count, encoding = rows_to_payload(rows, encoding, feature_count)
        limit = self.session.events_per_batch_max
        if limit and event_count > limit:
            raise ValueError(f"{event_count} events, expected at most {limit} a batch")
        if self._window.full:
            raise Busy(f"{len(self._window)} batches are pending")
        first = self._next_event_id if first_event_id is None else first_event_id
        self._next_event_id = first + event_count
        header = event_pb2.EventBatchHeader(
            protocol_version=PROTOCOL, source_id=self._source, lane=self._lane, run=run, first_event_id=first,
            event_count=event_count, feature_count=feature_count, encoding=encoding, want_lines=want_lines,
            want_classes=want_classes, want_scores=want_scores)
        future = concurrent.futures.Future()
        self._window.push(Pending(header, payload, future, callback))
        if not self._delivering:
            self._pump()
        return future

    def poll(self, timeout_s=0.0):
        """Receives, sends and beats; waits when there is nothing to do. Returns the batches answered."""
        before = self.statistics.batches_answered
        self._run_until(lambda: self.statistics.batches_answered != before, time.monotonic() + timeout_s)
        return self.statistics.batches_answered - before

    def wait_answers(self, timeout_s=10.0):
        """Polls until every batch is answered."""
        if not self._run_until(lambda: not len(self._window), time.monotonic() + timeout_s):
            raise TimeoutError(f"{self._home}: {len(self._window)} batches unanswered after {timeout_s} s")

    def decide(self, rows, timeout_s=10.0, **wants):
        """Submits and waits for the answer."""
        future = self.submit(rows, **wants)
        if not self._run_until(future.done, time.monotonic() + timeout_s):
            raise TimeoutError(f"{self._home}: no decision within {timeout_s} s; the batch is still pending")
        return future.result()

    def close(self, timeout_s=10.0):
        """Waits for all answers, leaves the client's own counts with the daemon, closes the lane and returns the counts."""
        deadline = time.monotonic() + timeout_s
        self.wait_answers(timeout_s)
        counts = self._own_counts()
        self._closing = True
        if not self._run_until(lambda: self._bye_echo is not None, deadline):
            raise TimeoutError(f"{self._home}: every batch was answered, but the farewell was not within {timeout_s} s")
        self._shut()
        return counts

    def abandon(self):
        """Closes at once; pending batches are answered with Outcome.CLOSED."""
        for pending in self._window.take_all(sent_only=False):
            self._deliver(pending, Outcome.CLOSED, None)
        self._shut()
