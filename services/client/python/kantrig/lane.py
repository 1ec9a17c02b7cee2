"""One lane's conversation with the daemon, step by step. Internal to kantrig."""
import os
import socket
import struct
import sys
import time

import zmq
from google.protobuf.message import DecodeError
from zmq.utils.monitor import parse_monitor_message

from kantrig.answer import PASSING, Decisions, Outcome, reason_name
from kantrig.session import Session, Statistics
from kantrig.v1 import decision_pb2, session_pb2
from kantrig.window import Window

PROTOCOL = 1
_HELLO_AGAIN_S = 1.0
_NO_WELCOME_S = 5.0
_RESEND_AFTER_MAX_S = 30.0
_REDIRECTS_MAX = 4
_TICK_S = 0.01
_CONNECTING, _GREETING, _OPEN = range(3)


class Lane:
    """Says Hello on every connection, sends within the credit, sends again what was lost, answers drains, beats."""

    def __init__(self, endpoint, source, lane, name, *, batches_pending_max, resend_after_s, retry_after_s, silence_max_s):
        self._home = endpoint
        self._source = source
        self._lane = lane
        self._name = (name or f"{socket.gethostname()}: {os.path.basename(sys.argv[0]) or 'python'}")[:200]
        self._instance = int.from_bytes(os.urandom(8), "little")
        self._resend_after_min = self._resend_after = resend_after_s
        self._retry_after = retry_after_s
        self._silence_max = silence_max_s
        self._context = zmq.Context()
        self._dealer = self._monitor = None
        self._window = Window(batches_pending_max)
        self._credit = decision_pb2.Credit()
        self._state = _CONNECTING
        self._welcomed_before = self._drain_ack_due = self._closing = self._bye_sent = self._delivering = False
        self._bye_echo = None
        self._refusal = None
        self._redirects = 0
        self._held_until = self._hello_at = self._last_sent = 0.0
        self._heartbeat_at = None
        self._heartbeat_number = 0
        self._run_counts = session_pb2.Bye()
        self.session = Session()
        self.statistics = Statistics()
        self._open(endpoint)

    @property
    def connected(self):
        """And welcomed."""
        return self._state == _OPEN

    def _open(self, endpoint):
        self._close_sockets()
        self._endpoint = endpoint
        self._dealer = self._context.socket(zmq.DEALER)
        for option, value in ((zmq.IMMEDIATE, 1), (zmq.LINGER, 0), (zmq.RECONNECT_IVL, 10),
                              (zmq.RECONNECT_IVL_MAX, 1000), (zmq.SNDHWM, 100_000), (zmq.RCVHWM, 100_000)):
            self._dealer.setsockopt(option, value)
        self._dealer.setsockopt(zmq.ROUTING_ID, b"k" + struct.pack("<IIQ", self._source, self._lane, self._instance))
        self._monitor = self._dealer.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        try:
            self._dealer.connect(endpoint)
        except zmq.ZMQError as error:
            self._shut()
            raise ValueError(f"{endpoint}: {error}, expected ipc://PATH or tcp://HOST:PORT") from error
        self._greet()

    def _greet(self):
        self.statistics.reconnects += self._state == _OPEN
        self._state = _CONNECTING
        self._state_since = time.monotonic()
        self._heartbeat_at = None
        self._bye_sent = False
        self._window.lose_copies()

    def _run_until(self, done, deadline):
        while True:
            work = self._step()
            if done():
                return True
            now = time.monotonic()
            if now >= deadline or self._delivering:
                return False
            if work == 0:
                poller = zmq.Poller()
                poller.register(self._dealer, zmq.POLLIN)
                poller.register(self._monitor, zmq.POLLIN)
                poller.poll(1000 * min(deadline - now, _TICK_S))

    def _step(self):
        if self._delivering:
            return 0
        if self._lost():
            self._greet()
        received = 0
        while received < 256:
            try:
                frames = self._dealer.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            received += 1
            self._heartbeat_at = None
            message = session_pb2.ServerMessage()
            try:
                message.ParseFromString(frames[0])
            except DecodeError:  # not for us
                continue
            self._on_message(message)
        self._tend_timers()
        return received + self._pump()

    def _lost(self):
        lost = False
        while True:
            try:
                frames = self._monitor.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return lost
            lost = lost or parse_monitor_message(frames)["event"] == zmq.EVENT_DISCONNECTED

    def _on_message(self, message):
        body = message.WhichOneof("body")
        if body == "welcome":
            self._on_welcome(message.welcome)
        elif body == "decision":
            self._on_decision(message.decision)
        elif body == "credit":
            self._take_credit(message.credit, unasked=True)
        elif body == "bye" and self._bye_sent:
            self._bye_echo = message.bye

    def _on_welcome(self, welcome):
        if self._state != _GREETING:
            return
        if welcome.reason:
            self._refusal = (f"{self._endpoint}: the daemon refuses source {self._source} lane {self._lane}: "
                             f"{reason_name(welcome.reason)}: {welcome.detail}")
            return
        if welcome.endpoint and welcome.endpoint != self._endpoint:
            self._redirects += 1
            if self._redirects > _REDIRECTS_MAX:
                self._refusal = f"{self._home}: sent from endpoint to endpoint {_REDIRECTS_MAX} times"
            else:
                self._open(welcome.endpoint)
            return
        self._refusal = None
        self._redirects = 0
        self._state = _OPEN
        self.session = Session(
            self._endpoint, welcome.events_per_batch_max, welcome.heartbeat_interval_ms / 1000, welcome.run,
            welcome.generation, welcome.model_digest, welcome.menu_digest, list(welcome.features),
            list(welcome.classes), list(welcome.lines), list(welcome.feature_bits), welcome.codes_only)
        if not self._welcomed_before:
            self._welcomed_before = True
            self._window.renumber(welcome.next_sequence)
        elif not self._window.is_plausible_next(welcome.next_sequence):
            self._lose_books(welcome.next_sequence)
        self._take_credit(welcome.credit, unasked=True)

    def _take_credit(self, credit, unasked=False):
        went = self._credit.events > 0
        self._credit = credit
        if credit.events > 0:
            self._drain_ack_due = False
        elif went or unasked:
            self._drain_ack_due = True

    def _on_decision(self, decision):
        if decision.reason != decision_pb2.REASON_NOT_WELCOMED:
            self._take_credit(decision.credit)
        if decision.reason in PASSING:
            self._on_passing(decision)
            return
        pending = self._window.take(decision.sequence)
        if pending is None:
            self.statistics.answers_ignored += 1
            return
        self._resend_after = self._resend_after_min
        outcome = Outcome.REFUSED if decision.reason else Outcome.DECIDED
        if decision.reason == decision_pb2.REASON_SEQUENCE_OLD:
            outcome = Outcome.UNKNOWN  # it was decided, but the answer is no longer kept
        self._deliver(pending, outcome, decision)

    def _on_passing(self, decision):
        self.statistics.answers_passing += 1
        if not self._window.hold_back(decision.sequence):
            return
        if decision.reason == decision_pb2.REASON_NOT_WELCOMED:
            if self._state == _OPEN:
                self._state = _CONNECTING  # says Hello again, on the same connection
                self._state_since = time.monotonic()
        elif decision.reason == decision_pb2.REASON_SEQUENCE_GAP:
            if decision.expected_sequence and not self._window.is_plausible_next(decision.expected_sequence):
                self._lose_books(decision.expected_sequence)
        else:
            self._held_until = time.monotonic() + self._retry_after

    def _lose_books(self, next_sequence):
        self.statistics.books_lost += 1
        taken = self._window.take_all(sent_only=True)
        self._window.renumber(next_sequence)
        for pending in taken:
            self._deliver(pending, Outcome.UNKNOWN, None)

    def _deliver(self, pending, outcome, decision):
        header = pending.header
        round_trip = time.monotonic() - pending.first_sent if outcome is Outcome.DECIDED else 0.0
        detail = decision.detail if decision is not None else "the daemon no longer has the books of this lane"
        answer = Decisions(outcome, header.sequence, header.first_event_id, header.event_count, round_trip,
                           "" if outcome is Outcome.CLOSED else detail, decision)
        self._count(header.event_count, outcome, decision)
        outer, self._delivering = self._delivering, True
        try:
            if pending.future.set_running_or_notify_cancel():
                pending.future.set_result(answer)
            if pending.callback is not None:
                pending.callback(answer)
        finally:
            self._delivering = outer

    def _count(self, events, outcome, decision):
        statistics = self.statistics
        if outcome is Outcome.CLOSED:
            return
        statistics.batches_answered += 1
        if outcome is Outcome.UNKNOWN:
            statistics.events_unknown += events
            return
        refused = max(0, events - decision.accepted_count - decision.rejected_count - decision.malformed_count)
        statistics.events_accepted += decision.accepted_count
        statistics.events_rejected += decision.rejected_count
        statistics.events_malformed += decision.malformed_count
        statistics.events_refused += refused
        counts = self._run_counts
        if decision.run > counts.run:
            counts.Clear()
            counts.run = decision.run
        if decision.run in (0, counts.run):
            counts.events_sent += events
            counts.events_accepted += decision.accepted_count
            counts.events_rejected += decision.rejected_count
            counts.events_malformed += decision.malformed_count
            counts.events_refused += refused

    def _own_counts(self):
        counts = session_pb2.Bye()
        counts.CopyFrom(self._run_counts)
        counts.events_sent += self._window.sent_events()
        return counts

    def _tend_timers(self):
        now = time.monotonic()
        if self._state != _OPEN:
            away = self._state == _GREETING or self._endpoint != self._home
            if away and now - self._state_since > _NO_WELCOME_S:
                self._open(self._home)
            elif self._state == _GREETING and now - self._hello_at > _HELLO_AGAIN_S:
                self._send_hello()
            return
        self._beat(now)
        oldest = self._window.oldest_sent()
        if oldest is not None and now - oldest > self._resend_after:
            self.statistics.resend_timeouts += 1
            self._resend_after = min(2 * self._resend_after, _RESEND_AFTER_MAX_S)
            self._window.lose_copies()

    def _beat(self, now):
        interval = self.session.heartbeat_interval_s
        if not interval:
            return
        if self._heartbeat_at is not None and now - self._heartbeat_at > (self._silence_max or 3 * interval):
            self._open(self._home)
        elif now - self._last_sent >= interval:
            self._heartbeat_number += 1
            self._send(session_pb2.ClientMessage(heartbeat=session_pb2.Heartbeat(number=self._heartbeat_number)))
            self._heartbeat_at = now if self._heartbeat_at is None else self._heartbeat_at

    def _pump(self):
        if self._state == _CONNECTING and self._send_hello():
            self._state = _GREETING
            self._state_since = time.monotonic()
        if self._state != _OPEN:
            return 0
        if self._drain_ack_due:
            ack = session_pb2.DrainAck(last_sequence=self._window.last_sent)
            self._drain_ack_due = not self._send(
                session_pb2.ClientMessage(drain_ack=ack, source_id=self._source, lane=self._lane))
        if self._closing and not self._bye_sent and not len(self._window):
            self._bye_sent = self._send(
                session_pb2.ClientMessage(bye=self._own_counts(), source_id=self._source, lane=self._lane))
        now = time.monotonic()
        sent = 0
        while now >= self._held_until and sent < 64:
            pending = self._window.next_to_send(self._credit)
            if pending is None or not self._send_batch(pending, now):
                break
            sent += 1
        return sent

    def _send_batch(self, pending, now):
        pending.header.send_time_ns = time.time_ns()
        try:
            self._dealer.send_multipart([pending.header.SerializeToString(), pending.payload], zmq.DONTWAIT)
        except zmq.Again:
            return False
        if pending.first_sent is None:
            self.statistics.batches_sent += 1
            self.statistics.events_sent += pending.header.event_count
        else:
            self.statistics.batches_resent += 1
        self._last_sent = now
        self._window.mark_sent(pending, now)
        return True

    def _send_hello(self):
        hello = session_pb2.Hello(protocol_version=PROTOCOL, source_id=self._source, lane=self._lane, name=self._name,
                                  instance=self._instance)
        self._hello_at = time.monotonic()
        return self._send(session_pb2.ClientMessage(hello=hello))

    def _send(self, message):
        try:
            self._dealer.send(message.SerializeToString(), zmq.DONTWAIT)
        except zmq.Again:
            return False
        self._last_sent = time.monotonic()
        return True

    def _close_sockets(self):
        if self._dealer is not None:
            self._dealer.disable_monitor()
            self._monitor.close(0)
            self._dealer.close(0)
        self._dealer = self._monitor = None

    def _shut(self):
        self._close_sockets()
        self._context.term()
