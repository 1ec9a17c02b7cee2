"""What a client may do wrong: each gets a clear answer, is counted under its reason, and harms nobody beside it."""
import array
import concurrent.futures
import math
import signal
import unittest

from kantrig.v1 import decision_pb2, event_pb2
from kantrig_daemon import FEATURES, PATIENCE_S, Daemon, Neighbour, RawClient, run_tests, until

BATCH_EVENTS_MAX = 4096
FRAME_BYTES_MAX = 1 << 20


def floats(*rows):
    """Each row a value that stands in every feature, or a list of values."""
    values = array.array("f")
    for row in rows:
        values.extend(row if isinstance(row, list) else [row] * FEATURES)
    return values.tobytes()


def bits(bitmap, count):
    return [bitmap[i // 8] >> (i % 8) & 1 for i in range(count)]


class BadInputTest(unittest.TestCase):
    """Every test ends by asking the neighbour, the metrics and the run record."""

    def setUp(self):
        self.daemon = Daemon(self, events__lanes_max="8", events__batch_events_max=str(BATCH_EVENTS_MAX),
                             events__payload_bytes_max=str(FRAME_BYTES_MAX), events__credit_batches="64",
                             events__answer_bytes_kept="1048576", events__unsent_answers_max="100",
                             stop__drain_timeout_ms="300").start()
        self.neighbour = Neighbour(self.daemon)
        self.client = RawClient(self, self.daemon.events)

    def tearDown(self):
        summary = self.neighbour.end()
        metrics = self.daemon.metrics()
        self.assertEqual(metrics["kantrig_ledger_residual_events"], 0)
        record = self.daemon.stop_run()
        ours = [c for c in record["clients"] if c["source_id"] == 1]
        self.assertEqual([int(c["ledger"]["accepted"]) for c in ours], [summary["events_accepted"]])
        self.daemon.stop()

    def assert_answered(self, answer, reason, detail):
        self.assertEqual(decision_pb2.Reason.Name(answer.reason), "REASON_" + reason.upper())
        self.assertIn(detail, answer.detail)
        self.assertEqual((answer.accepted_count, answer.rejected_count), (0, 0))

    def assert_counted(self, reason, events, batches=1, malformed=0, refused=0):
        """What the daemon counted beside the neighbour's events, which are all decided."""
        metrics = self.daemon.metrics()
        self.assertEqual(metrics.without_decision(reason), (events, batches), reason)
        self.assertEqual(metrics['kantrig_events_decided_total{disposition="malformed"}'], malformed)
        self.assertEqual(metrics['kantrig_events_decided_total{disposition="refused"}'], refused)

    def test_frames_that_are_no_message_are_answered_and_counted(self):
        header = self.client.header(1)
        cases = [((b"",), "exactly one of a batch, hello"), ((b"\xffgarbage",), "expected a ClientMessage"),
                 ((header[:-1], b""), "expected an EventBatchHeader"), ((b"\x08" * 2000, b""), "at most 1024 bytes"),
                 ((header, floats(0.5), b"more"), "expected one frame (ClientMessage) or two"),
                 ((header, b"", b"", b""), "expected one frame (ClientMessage) or two"),
                 ((b"",) * 30, "expected one frame (ClientMessage) or two"),
                 ((event_pb2.EventBatch(values=[1.0]).SerializeToString(),), "expected a header beside the values")]
        for frames, detail in cases:
            self.assert_answered(self.client.answer(*frames), "header", detail)
        self.assert_counted("header", 0, len(cases))
        self.assertEqual(self.daemon.metrics()["kantrig_messages_unreadable_total"], len(cases))

    def test_a_header_that_asks_for_the_impossible_is_answered_and_counted(self):
        self.client.hello(source=2)
        wide = array.array("f", [0.5] * 34).tobytes()
        cases = [("protocol_version", "expected protocol version 1", dict(protocol_version=2), floats(0.5, 0.5), 2),
                 ("encoding", "expected encoding FLOAT32 (1), CODE8 (2) or CODE16 (3)", dict(encoding=9), floats(0.5, 0.5), 2),
                 ("feature_count", "expected the feature count of the active model", dict(feature_count=17), wide, 2),
                 ("feature_count", "expected at least one feature", dict(feature_count=0), b"", 2),
                 ("event_count", "expected at least one event", {}, b"", 0),
                 ("event_count", "expected at most events_per_batch_max",
                  dict(encoding=event_pb2.ENCODING_CODE8), bytes((BATCH_EVENTS_MAX + 1) * FEATURES), BATCH_EVENTS_MAX + 1),
                 ("payload_size", "expected event_count x feature_count values", {}, floats(0.5, 0.5)[:-1], 2),
                 ("payload_size", "expected event_count x feature_count values", {}, floats(0.5, 0.5, 0.5), 2),
                 ("payload_size", "expected event_count x feature_count values", {}, b"", 2),
                 ("payload_size", "expected event_count x feature_count values", {}, floats(0.5, 0.5), 4_000_000_000),
                 ("payload_size", "expected event_count x feature_count values", dict(feature_count=0xFFFFFFFF),
                  floats(0.5), 0xFFFFFFFF),
                 ("run_mismatch", "expected 0 or the run in this answer", dict(run=77), floats(0.5, 0.5), 2)]
        counted, malformed, refused = {}, 0, 0
        for reason, detail, fields, payload, events in cases:
            answer = self.client.answer(self.client.header(events, **fields), payload)
            self.assert_answered(answer, reason, detail)
            self.assertEqual((answer.sequence, answer.event_count), (self.client.next_sequence, events))
            self.client.next_sequence += 1  # final: the batch has had its place on the lane
            believed = events if events <= BATCH_EVENTS_MAX else 0
            before = counted.get(reason, (0, 0))
            counted[reason] = (before[0] + believed, before[1] + 1)
            refused += believed if reason == "run_mismatch" else 0
            malformed += 0 if reason == "run_mismatch" else believed
        for reason, (events, batches) in counted.items():
            self.assert_counted(reason, events, batches, malformed, refused)
        self.client.batch(1, floats(0.5))  # and the lane goes on
        self.assertEqual(self.client.next_decision().reason, 0)

    def test_a_frame_above_the_limit_is_answered_and_counted(self):
        self.client.hello(source=2)
        events = FRAME_BYTES_MAX // (FEATURES * 4) + 1
        answer = self.client.answer(self.client.header(events, feature_count=FEATURES), bytes(FRAME_BYTES_MAX + FEATURES * 4))
        self.assert_answered(answer, "payload_size", "at most payload_bytes_max bytes")
        self.assert_counted("payload_size", 0, 1)
        self.assert_answered(self.client.answer(bytes(FRAME_BYTES_MAX + 1)), "header", "at most payload_bytes_max bytes")
        self.assert_counted("header", 0, 1)

    def test_a_frame_far_above_the_limit_is_cut_off_without_taking_memory(self):
        self.client.hello(source=2)
        before = self.daemon.resident_bytes()
        self.client.send(self.client.header(1), bytes(128 << 20))
        self.client.next_sequence += 1
        other = RawClient(self, self.daemon.events)  # the daemon has had time to read it, or is still reading
        other.hello(source=3)
        self.assertIsNone(self.client.receive(timeout_s=0.5))
        self.assertLess(self.daemon.resident_bytes() - before, 64 << 20)

    def test_a_batch_without_a_greeting_is_answered_and_counted(self):
        self.client.source, self.client.next_sequence = 2, 1
        self.assert_answered(self.client.answer(self.client.header(3), floats(1, 2, 3)), "not_welcomed", "expected a Hello")
        self.assert_counted("not_welcomed", 3, refused=3)
        self.client.hello(source=2)
        answer = self.client.answer(self.client.header(3, lane=1), floats(1, 2, 3))  # a lane that it did not greet for
        self.assert_answered(answer, "not_welcomed", "expected a Hello for this source and lane")
        self.assert_counted("not_welcomed", 6, 2, refused=6)

    def test_a_greeting_of_another_version_is_answered_and_counted(self):
        welcome = self.client.hello(version=3)
        self.assertEqual(welcome.reason, decision_pb2.REASON_PROTOCOL_VERSION)
        self.assertIn("expected protocol version 1", welcome.detail)
        self.assertEqual(welcome.credit.events, 0)
        self.assert_counted("protocol_version", 0)

    def test_nan_makes_its_own_event_malformed_and_infinities_clamp(self):
        self.client.hello(source=2)
        good, huge = [0.1 * i for i in range(FEATURES)], 3e38
        batch = [good, [math.nan] + good[1:], [math.inf] + good[1:], [-math.inf] + good[1:], good[:15] + [-math.nan]]
        wants = dict(want_classes=True, want_scores=True)
        answer = self.client.answer(self.client.header(5, **wants), floats(*batch))
        self.assertEqual((answer.reason, answer.malformed_count), (0, 2))
        self.assertEqual(bits(answer.malformed_bitmap, 5), [0, 1, 0, 0, 1])
        self.assertEqual(answer.accepted_count + answer.rejected_count, 3)
        self.client.next_sequence += 1
        clamped = self.client.answer(self.client.header(3, **wants), floats(good, [huge] + good[1:], [-huge] + good[1:]))
        row = len(answer.scores) // 5
        scores = [answer.scores[i * row:(i + 1) * row] for i in (0, 2, 3)]
        self.assertEqual(b"".join(scores), clamped.scores)
        self.assertEqual(bytes(answer.classes[i] for i in (0, 2, 3)), clamped.classes)
        metrics = self.daemon.metrics()
        self.assertEqual(metrics.without_decision("not_finite")[0], 2)
        self.assertEqual(metrics['kantrig_events_decided_total{disposition="malformed"}'], 2)

    def test_a_sequence_that_goes_back_has_one_effect_and_the_same_answer(self):
        self.client.hello(source=2)
        first = self.client.answer(self.client.header(2), floats(0.5, 1.5))
        again = self.client.answer(self.client.header(2), floats(-7, math.nan))  # the payload does not matter: it is decided
        self.assertTrue(again.duplicate)
        self.assertEqual((again.accept_bitmap, again.block, again.send_time_ns),
                         (first.accept_bitmap, first.block, first.send_time_ns))
        self.assertEqual(self.daemon.metrics()['kantrig_events_decided_total{disposition="duplicate"}'], 2)
        for _ in range(64):
            self.client.next_sequence += 1
            self.assertEqual(self.client.answer(self.client.header(1), floats(0.5)).reason, 0)
        old = self.client.answer(self.client.header(2, sequence=1), floats(0.5, 1.5))
        self.assert_answered(old, "sequence_old", "expected_sequence is the next")
        self.assertEqual(old.expected_sequence, self.client.next_sequence + 1)
        self.assert_counted("sequence_old", 2, refused=2)

    def test_a_gap_in_the_sequence_is_answered_with_what_is_missing(self):
        self.client.hello(source=2)
        for sequence in (self.client.next_sequence + 3, 2**64 - 1):
            answer = self.client.answer(self.client.header(2, sequence=sequence), floats(0.5, 1.5))
            self.assert_answered(answer, "sequence_gap", "batches before this one are missing")
            self.assertEqual(answer.expected_sequence, self.client.next_sequence)
        self.assert_counted("sequence_gap", 4, 2, refused=4)
        self.assertEqual(self.client.answer(self.client.header(2), floats(0.5, 1.5)).reason, 0)

    def test_an_answer_too_large_to_keep_is_refused_beforehand(self):
        daemon = Daemon(self, events__answer_bytes_kept="65536", events__lanes_max="2").start()
        client = RawClient(self, daemon.events)
        client.hello()
        answer = client.answer(client.header(16_384, encoding=event_pb2.ENCODING_CODE8, want_lines=True),
                               bytes(16_384 * FEATURES))
        self.assert_answered(answer, "event_count", "the answer would be too large to keep")
        daemon.stop_run()

    def test_a_code_beyond_its_feature_makes_its_own_event_malformed(self):
        welcome = self.client.hello(source=2)
        self.assertEqual(len(welcome.feature_bits), FEATURES)
        codes = array.array("H", [1] * FEATURES + [1 << welcome.feature_bits[0]] + [1] * (FEATURES - 1)).tobytes()
        answer = self.client.answer(self.client.header(2, encoding=event_pb2.ENCODING_CODE16), codes)
        self.assertEqual((answer.reason, bits(answer.malformed_bitmap, 2)), (0, [0, 1]))
        self.assertEqual(self.daemon.metrics().without_decision("not_finite")[0], 1)

    def test_a_flood_of_ten_times_the_credit_is_accounted_for(self):
        welcome = self.client.hello(source=2)
        batches = 10 * welcome.credit.batches
        for _ in range(batches):
            self.client.batch(8, floats(*[0.5] * 8))
        got = decided = 0

        def all_accounted():
            nonlocal got, decided
            while (reply := self.client.receive(timeout_s=0)) is not None:
                if reply.WhichOneof("body") == "decision":
                    got += 1
                    decided += reply.decision.accepted_count + reply.decision.rejected_count
            return got + self.daemon.metrics()["kantrig_answers_undelivered_total"] >= batches

        until(all_accounted, lambda: f"{got} answers of {batches}")
        metrics = self.daemon.metrics()
        refused = sum(metrics.without_decision(reason)[0] for reason in ("credit", "sequence_gap", "not_welcomed"))
        self.assertGreater(decided, 0)
        self.assertEqual(metrics['kantrig_events_decided_total{disposition="refused"}'], refused)
        self.assertLessEqual(batches * 8 - refused - decided, 8 * metrics["kantrig_answers_undelivered_total"])


class UnreadAnswersTest(unittest.TestCase):
    """A client that sends and sends and never reads."""

    def start(self, answer_bytes_kept=4 << 20, **settings):
        self.daemon = Daemon(self, events__lanes_max="8", events__credit_batches="64",
                             events__answer_bytes_kept=str(answer_bytes_kept),
                             events__socket_buffer_bytes="65536", stop__drain_timeout_ms="300", **settings).start()
        self.neighbour = Neighbour(self.daemon)
        self.client = RawClient(self, self.daemon.events, receive_hwm=1, receive_buffer_bytes=4096)
        self.client.hello(source=2)
        self.payload = floats(*[0.5] * 512)
        self.sent = 0

    def flood(self, done):
        """Sends, in gulps that the daemon has taken before the next, until `done(metrics)`; returns the metrics."""
        before = self.daemon.resident_bytes()
        while True:
            for _ in range(50):
                self.client.batch(512, self.payload, want_scores=True, want_lines=True)
                self.sent += 1
            until(lambda: self.batches_of_source() >= self.sent, "all batches are received")
            metrics = self.daemon.metrics()
            if done(metrics):
                break
            self.assertLess(self.sent, 20_000)
        self.assertLess(self.daemon.resident_bytes() - before, 64 << 20)
        return metrics

    def batches_of_source(self):
        """The neighbour's batches have other sizes: 64 events, ours 512."""
        text = self.daemon.metrics()
        return text['kantrig_batch_size_events_count'] - text['kantrig_batch_size_events_bucket{le="64"}']

    def finish(self):
        self.client.close()
        self.neighbour.end()
        record = self.daemon.stop_run()
        self.daemon.stop()
        return [r for b in record["blocks"] for s in b["shards"] for r in s["reasons"]]

    def test_loses_its_lane_and_gets_its_answers_when_it_comes_back(self):
        self.start(events__unsent_answers_max="100")
        metrics = self.flood(lambda metrics: metrics["kantrig_lanes_cut_total"] == 1)
        events, batches = metrics.without_decision("not_welcomed")
        self.assertEqual(events, batches * 512)
        self.assertGreater(metrics["kantrig_answers_undelivered_total"], 0)

        again = RawClient(self, self.daemon.events)
        again.hello(source=2)
        last = again.next_sequence - 1
        answer = again.answer(again.header(512, sequence=last), self.payload)
        self.assertTrue(answer.duplicate)
        self.assertEqual(answer.sequence, last)
        self.assertEqual(metrics.without_decision("credit")[1], 36)  # 64 answers unsent, so many refused, and the lane is cut
        self.assertEqual(last + 36 + batches, self.sent)
        reasons = self.finish()
        self.assertEqual(sum(int(r["batches"]) for r in reasons if r["reason"] == "REASON_NOT_WELCOMED"), batches)

    def test_is_refused_beyond_its_credit_and_loses_no_answer(self):
        self.start(events__unsent_answers_max="100000")
        # The connection's buffers may take answers late, on a busy machine all that waited when a batch was refused.
        metrics = self.flood(lambda metrics: metrics.without_decision("credit")[1] > 0 and
                             metrics["kantrig_unsent_answers"] > 0)
        self.assertLessEqual(metrics["kantrig_unsent_answers"], 64)
        self.read_all_that_was_decided()

    def test_is_refused_before_its_answers_outgrow_what_is_kept(self):
        self.start(answer_bytes_kept=256 << 10, events__unsent_answers_max="100000")
        self.flood(lambda metrics: metrics.without_decision("credit")[1] > 0 and
                   0 < metrics["kantrig_unsent_answers"] < 64)
        self.read_all_that_was_decided()

    def read_all_that_was_decided(self):
        metrics = self.daemon.metrics()
        refused = metrics.without_decision("credit")[1]
        self.assertEqual(metrics["kantrig_lanes_cut_total"], 0)
        decided = []
        while len(decided) < self.sent - refused:  # now it reads: every batch that was decided has its answer, in order
            answer = self.client.next_decision()
            if answer.reason == 0:
                decided.append(answer.sequence)
        self.assertEqual(decided, list(range(1, len(decided) + 1)))
        self.assertEqual(len(decided) + refused, self.sent)
        until(lambda: self.daemon.metrics()["kantrig_unsent_answers"] == 0, "nothing waits any more")
        self.finish()


class AnswersOfOneTurnTest(unittest.TestCase):
    def test_small_answers_are_not_spoilt_by_a_large_one_behind_them(self):
        daemon = Daemon(self, events__answer_bytes_kept="65536", events__lanes_max="2").start()
        client = RawClient(self, daemon.events)
        client.hello()
        large = 7500  # with its lines, an answer that needs nearly all of the room for kept answers
        for _ in range(20):
            first = client.next_sequence
            daemon.process.send_signal(signal.SIGSTOP)  # so that the daemon finds all of them at once
            for _ in range(20):
                client.batch(1, floats(0.5), first_event_id=client.next_sequence)
            client.batch(large, bytes(large * FEATURES), encoding=event_pb2.ENCODING_CODE8, want_lines=True)
            daemon.process.send_signal(signal.SIGCONT)
            answers = [client.next_decision() for _ in range(21)]
            self.assertEqual([a.sequence for a in answers], list(range(first, first + 21)))
            self.assertEqual([a.first_event_id for a in answers[:20]], list(range(first, first + 20)))
            self.assertEqual([a.event_count for a in answers], [1] * 20 + [large])
            self.assertEqual(len(answers[20].line_bits), large * 8)
        self.assertEqual(daemon.stop_run()["totals"]["received"], str(20 * (20 + large)))
        daemon.stop()


class AdmissionTest(unittest.TestCase):
    """Who may send, and when."""

    def test_an_unknown_source_and_a_lane_too_many_are_told_so(self):
        daemon = Daemon(self, events__sources="[1, 4]", events__lanes_max="2").start()
        neighbour = Neighbour(daemon)
        client = RawClient(self, daemon.events)
        welcome = client.hello(source=2)
        self.assertEqual(welcome.reason, decision_pb2.REASON_SOURCE_UNKNOWN)
        self.assertIn("expected a source from the list", welcome.detail)
        client.next_sequence = 1
        answer = client.answer(client.header(3), floats(1, 2, 3))
        self.assertEqual(answer.reason, decision_pb2.REASON_SOURCE_UNKNOWN)
        self.assertEqual(daemon.metrics().without_decision("source_unknown"), (3, 2))

        until(lambda: daemon.metrics()["kantrig_lanes"] == 1, "the neighbour is there")
        self.assertEqual(client.hello(source=4).reason, 0)
        third = RawClient(self, daemon.events)
        welcome = third.hello(source=4, lane=7)
        self.assertEqual(welcome.reason, decision_pb2.REASON_LANE_LIMIT)
        self.assertIn("no room for another lane", welcome.detail)
        self.assertEqual(daemon.metrics().without_decision("lane_limit"), (0, 1))
        neighbour.end()
        daemon.stop_run()
        daemon.stop()

    def test_without_a_run_and_after_a_drain_batches_are_refused_until_credit_returns(self):
        daemon = Daemon(self, run__autostart="false", events__lanes_max="4", stop__drain_timeout_ms="20000").start()
        client, slow = RawClient(self, daemon.events), RawClient(self, daemon.events)
        self.assertEqual(client.hello().credit.events, 0)
        slow.hello(lane=1)
        answer = client.answer(client.header(2), floats(1, 2))
        self.assertEqual(answer.reason, decision_pb2.REASON_NO_RUN)
        self.assertIn("send it again when credit returns", answer.detail)

        self.assertEqual(daemon.kantrig("run", "start").returncode, 0)
        for each in (client, slow):
            self.assertGreater(each.receive().credit.events, 0)
        client.batch(2, floats(1, 2))
        self.assertEqual(client.next_decision().reason, 0)

        with concurrent.futures.ThreadPoolExecutor() as pool:
            record = pool.submit(daemon.stop_run)
            for each in (client, slow):
                self.assertEqual(each.receive().credit.events, 0)
            client.acknowledge_drain()
            answer = client.answer(client.header(2), floats(1, 2))
            self.assertEqual(answer.reason, decision_pb2.REASON_CREDIT)
            self.assertIn("expected nothing while the credit is 0", answer.detail)
            slow.batch(1, floats(1))  # was under way when the credit ended: decided
            self.assertEqual(slow.next_decision().reason, 0)
            slow.acknowledge_drain()
            totals = record.result(PATIENCE_S)["totals"]
        self.assertEqual((totals["received"], totals["refused"]), ("5", "2"))
        self.assertEqual(daemon.metrics().without_decision("credit"), (2, 1))
        daemon.stop()


if __name__ == "__main__":
    run_tests()
