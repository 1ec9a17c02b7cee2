"""The Python client against a daemon of the test's own making, over ipc. An event is accepted when its first value is odd."""
import os
import tempfile
import threading
import unittest

import zmq

from kantrig import Busy, Client, Outcome, Refused
from kantrig.v1 import decision_pb2, event_pb2, session_pb2

PATIENCE_S = 10.0


class Server:
    """One lane, obedient to the test."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.next_sequence = 1
        self.kept = {}
        self.decided = []
        self.duplicates = 0
        self.hellos = 0
        self.drain_acks = []
        self.byes = []
        self.credit = (1_000_000, 100_000_000, 100)
        self.welcome_reason = 0
        self.loses_answers = False
        self.refuse = lambda header: 0
        self.start()

    def start(self):
        self._stop = threading.Event()
        self._credit_to_send = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._ready.wait(PATIENCE_S)

    def kill(self):
        self._stop.set()
        self._thread.join()

    def send_credit(self, credit):
        self.credit = credit
        self._credit_to_send = credit

    def _serve(self):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
            router.setsockopt(zmq.LINGER, 0)
            router.setsockopt(zmq.ROUTER_HANDOVER, 1)
            router.bind(self.endpoint)
            self._ready.set()
            peer = None
            while not self._stop.is_set():
                if self._credit_to_send and peer:
                    message = session_pb2.ServerMessage()
                    message.credit.CopyFrom(self._credit())
                    router.send_multipart([peer, message.SerializeToString()])
                    self._credit_to_send = None
                if not router.poll(10):
                    continue
                peer, *frames = router.recv_multipart()
                reply = self._on_batch(*frames) if len(frames) == 2 else self._on_message(frames[0])
                if reply is not None:
                    router.send_multipart([peer, reply])

    def _credit(self):
        events, size, batches = self.credit
        return decision_pb2.Credit(events=events, bytes=size, batches=batches)

    def _on_message(self, frame):
        message = session_pb2.ClientMessage.FromString(frame)
        reply = session_pb2.ServerMessage()
        if message.HasField("hello"):
            self.hellos += 1
            reply.welcome.CopyFrom(session_pb2.Welcome(
                protocol_version=1, reason=self.welcome_reason, detail="expected source 7" if self.welcome_reason else "",
                next_sequence=self.next_sequence, credit=self._credit(), events_per_batch_max=1000,
                heartbeat_interval_ms=1000, run=3, features=["a", "b"]))
        elif message.HasField("heartbeat"):
            reply.heartbeat.CopyFrom(message.heartbeat)
        elif message.HasField("bye"):
            self.byes.append(message.bye)
            reply.bye.CopyFrom(message.bye)
        elif message.HasField("drain_ack"):
            self.drain_acks.append(message.drain_ack.last_sequence)
            return None
        return reply.SerializeToString()

    def _on_batch(self, first, payload):
        header = event_pb2.EventBatchHeader.FromString(first)
        answer = decision_pb2.DecisionBatch(
            sequence=header.sequence, event_count=header.event_count, first_event_id=header.first_event_id, run=3,
            credit=self._credit())
        if header.sequence < self.next_sequence:
            self.duplicates += 1
            suffix = session_pb2.ServerMessage()
            suffix.decision.duplicate = True
            suffix.decision.credit.CopyFrom(self._credit())
            return self.kept[header.sequence] + suffix.SerializeToString()
        answer.reason = self.refuse(header)
        if header.sequence > self.next_sequence:
            answer.reason = decision_pb2.REASON_SEQUENCE_GAP
            answer.expected_sequence = self.next_sequence
        message = session_pb2.ServerMessage()
        if answer.reason in (0, decision_pb2.REASON_FEATURE_COUNT):
            self.next_sequence += 1
        if answer.reason:
            answer.detail = "as the test wants"
        else:
            row_bytes = len(payload) // header.event_count
            accepted = [payload[i * row_bytes] & 1 for i in range(header.event_count)]
            bitmap = bytearray((header.event_count + 7) // 8)
            for i, bit in enumerate(accepted):
                bitmap[i // 8] |= bit << (i % 8)
            answer.accept_bitmap = bytes(bitmap)
            answer.accepted_count = sum(accepted)
            answer.rejected_count = header.event_count - answer.accepted_count
            self.decided.append(header.sequence)
        message.decision.CopyFrom(answer)
        self.kept[header.sequence] = message.SerializeToString()
        return None if self.loses_answers and not answer.reason else self.kept[header.sequence]


class ClientTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kantrig-test-")
        self.addCleanup(folder.cleanup)
        self.endpoint = "ipc://" + os.path.join(folder.name, "events")
        self.server = Server(self.endpoint)
        self.addCleanup(self.server.kill)

    def connect(self, **options):
        client = Client(self.endpoint, source=7, connect_timeout_s=PATIENCE_S, **options)
        self.addCleanup(client.abandon)
        return client

    def submit(self, client, rows=b"\1\0\2\0", **wants):
        return client.submit(rows, encoding=event_pb2.ENCODING_CODE8, feature_count=2, **wants)

    def until(self, client, done):
        for _ in range(int(PATIENCE_S * 100)):
            if done():
                return True
            client.poll(0.01)
        return False

    def test_decides_and_leaves_its_counts(self):
        client = self.connect()
        self.assertEqual(client.session.features, ["a", "b"])
        decisions = client.decide(b"\1\0\2\0\3\0", encoding=event_pb2.ENCODING_CODE8, feature_count=2)
        self.assertEqual(decisions.outcome, Outcome.DECIDED)
        self.assertEqual(list(decisions.accepted), [True, False, True])
        self.assertEqual(list(decisions.malformed), [])
        second = client.decide([[0.5, 1.0]])
        self.assertEqual(second.first_event_id, 3)
        counts = client.close(PATIENCE_S)
        self.assertEqual((counts.run, counts.events_sent, counts.events_accepted, counts.events_rejected), (3, 4, 2, 2))
        self.assertEqual(self.server.byes, [counts])

    def test_takes_arrays_of_each_encoding(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        client = self.connect()
        for dtype in (numpy.uint8, numpy.uint16, numpy.float32, numpy.float64):
            rows = numpy.array([[1, 0], [2, 0]], dtype)
            self.assertEqual(client.decide(rows).event_count, 2)
        with self.assertRaises(ValueError):
            client.submit(numpy.zeros((2, 2), numpy.int32))

    def test_sends_what_is_unanswered_again_after_a_restart_and_answers_once(self):
        client = self.connect()
        answers = []
        self.server.loses_answers = True
        futures = [self.submit(client, callback=answers.append) for _ in range(5)]
        self.assertTrue(self.until(client, lambda: len(self.server.decided) == 5))
        self.server.kill()
        self.assertTrue(self.until(client, lambda: not client.connected))
        self.server.loses_answers = False
        self.server.start()
        client.wait_answers(PATIENCE_S)
        self.assertEqual([a.sequence for a in answers], [1, 2, 3, 4, 5])
        self.assertTrue(all(f.result().message.duplicate for f in futures))
        self.assertEqual(self.server.decided, [1, 2, 3, 4, 5])
        self.assertEqual(client.statistics.batches_resent, 5)
        self.assertEqual(client.statistics.events_sent, 10)

    def test_sends_again_after_each_passing_reason(self):
        client = self.connect(retry_after_s=0.001)
        for name in ("CREDIT", "NO_RUN", "NOT_WELCOMED"):
            left = [3]

            def refuse(header, left=left, name=name):
                left[0] -= 1
                return decision_pb2.Reason.Value("REASON_" + name) if left[0] >= 0 else 0

            self.server.refuse = refuse
            futures = [self.submit(client) for _ in range(4)]
            client.wait_answers(PATIENCE_S)
            self.assertTrue(all(f.result().outcome is Outcome.DECIDED for f in futures), name)
        self.assertEqual(self.server.decided, list(range(1, 13)))
        self.assertEqual(client.statistics.events_refused, 0)

    def test_hands_a_final_refusal_over(self):
        client = self.connect()
        self.server.refuse = lambda header: decision_pb2.REASON_FEATURE_COUNT
        future = self.submit(client)
        client.wait_answers(PATIENCE_S)
        self.assertEqual(future.result().outcome, Outcome.REFUSED)
        self.assertEqual(future.result().reason, "feature_count")
        self.assertEqual(future.result().detail, "as the test wants")
        self.assertEqual(client.statistics.events_refused, 2)

    def test_drains_when_the_credit_is_zero_and_goes_on_afterwards(self):
        client = self.connect()
        self.submit(client)
        client.wait_answers(PATIENCE_S)
        self.server.send_credit((0, 0, 0))
        self.assertTrue(self.until(client, lambda: self.server.drain_acks == [1]))
        self.submit(client)
        client.poll(0.02)
        self.assertEqual(client.statistics.batches_sent, 1)
        self.server.send_credit((1000, 1000, 10))
        client.wait_answers(PATIENCE_S)
        self.assertEqual(self.server.decided, [1, 2])

    def test_is_busy_when_too_much_is_pending(self):
        self.server.credit = (0, 0, 0)
        client = self.connect(batches_pending_max=2)
        first = self.submit(client)
        self.submit(client)
        with self.assertRaises(Busy):
            self.submit(client)
        with self.assertRaises(TimeoutError):
            client.close(0.02)
        client.abandon()
        self.assertEqual(first.result(0).outcome, Outcome.CLOSED)

    def test_says_why_it_is_not_welcome(self):
        self.server.welcome_reason = decision_pb2.REASON_SOURCE_UNKNOWN
        with self.assertRaisesRegex(Refused, "source_unknown: expected source 7"):
            self.connect()

    def test_says_that_nobody_answers(self):
        with self.assertRaisesRegex(TimeoutError, "is kantrigd running"):
            Client(self.endpoint + ".absent", connect_timeout_s=0.02)


if __name__ == "__main__":
    unittest.main()
