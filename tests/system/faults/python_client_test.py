"""The Python client library against the real daemon: the same decisions as the C++ one, and one answer a batch whatever comes."""
import json
import unittest

import numpy

from kantrig import Client, Outcome, Refused
from kantrig.v1 import event_pb2
from kantrig_daemon import PATIENCE_S, SLICE, Daemon, RawClient, kantrig, run_tests, until

ROWS = numpy.load(SLICE).astype(numpy.float32)
BATCH = 500


class PythonClientTest(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(self, events__lanes_max="4").start()

    def connect(self, **options):
        client = Client(self.daemon.events, connect_timeout_s=PATIENCE_S, **options)
        self.addCleanup(client.abandon)
        return client

    def test_decides_as_the_program_in_cpp_does(self):
        sent = kantrig("send", "--endpoint", self.daemon.events, "--x", SLICE, "--batch", "1024", "--json")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        theirs = json.loads(sent.stdout)
        lines = self.daemon.status()["lines"]

        client = self.connect(source=2)
        self.assertEqual(len(client.session.features), ROWS.shape[1])
        futures = [client.submit(ROWS[i:i + BATCH]) for i in range(0, len(ROWS), BATCH)]
        client.wait_answers(PATIENCE_S)
        accepted = numpy.concatenate([f.result().accepted for f in futures])
        self.assertEqual(len(accepted), theirs["events_sent"])
        self.assertEqual(int(accepted.sum()), theirs["events_accepted"])
        self.assertEqual(client.statistics.events_rejected, theirs["events_rejected"])
        for before, after in zip(lines, self.daemon.status()["lines"]):  # prescales too: they go by the event's id
            for stage in ("before_prescale", "after_prescale", "after_veto"):
                self.assertEqual(int(after[stage]), 2 * int(before[stage]), after)
        client.close(PATIENCE_S)
        record = self.daemon.stop_run()
        self.assertEqual([c["agree"] for c in record["clients"]], [True, True])
        self.daemon.stop()

    def test_a_batch_in_one_frame_means_the_same_as_in_two(self):
        rows = ROWS[:300]
        wants = dict(want_lines=True, want_classes=True, want_scores=True, first_event_id=1000)
        client = RawClient(self, self.daemon.events)
        client.hello(source=2)
        header = event_pb2.EventBatchHeader.FromString(client.header(len(rows), **wants))
        two = client.answer(header.SerializeToString(), rows.tobytes())
        header.sequence += 1
        for encoding in (event_pb2.ENCODING_FLOAT32, event_pb2.ENCODING_UNSPECIFIED):
            header.encoding = encoding
            batch = event_pb2.EventBatch(header=header, values=rows.ravel().tolist())
            one = client.answer(batch.SerializeToString())
            self.assertEqual((one.reason, one.detail), (0, ""))
            for field in ("accept_bitmap", "line_bits", "classes", "scores", "accepted_count", "model_digest", "menu_digest"):
                self.assertEqual(getattr(one, field), getattr(two, field), field)
            self.assertEqual(len(one.classes), len(rows))
            header.sequence += 1
        record = self.daemon.stop_run()
        self.assertEqual(record["totals"]["received"], "900")

    def test_has_one_answer_a_batch_across_the_death_of_the_daemon(self):
        client = self.connect(source=3, batches_pending_max=64)
        answers, submitted, killed = [], 0, 0
        batches = 800
        while len(answers) < batches:
            while submitted < batches and client.pending < 64:
                at = submitted * BATCH % (len(ROWS) - BATCH)
                client.submit(ROWS[at:at + BATCH], callback=answers.append)
                submitted += 1
            back = client.connected and client.statistics.reconnects >= killed  # each kill meets a standing connection
            if killed < 3 and back and len(answers) >= 80 * (killed + 1):
                self.daemon.kill()  # 64 batches are under way, decided or not
                self.assertEqual(client.pending, 64)
                killed += 1
                self.daemon.start()
            client.poll(PATIENCE_S)
        self.assertEqual(killed, 3)
        self.assertEqual([a.sequence for a in answers], list(range(1, batches + 1)))
        self.assertTrue(all(a.outcome is Outcome.DECIDED for a in answers))
        self.assertGreaterEqual(client.statistics.reconnects, 3)
        self.assertEqual(client.statistics.events_sent, batches * BATCH)
        counts = client.close(PATIENCE_S)
        self.assertEqual(counts.events_accepted, sum(a.message.accepted_count for a in answers))

        record = self.daemon.stop_run()
        totals = record["totals"]
        self.assertEqual(int(totals["accepted"]) + int(totals["rejected"]), batches * BATCH)
        self.assertEqual([(c["agree"], int(c["client"]["events_sent"])) for c in record["clients"]], [(True, batches * BATCH)])
        self.daemon.stop()

    def test_a_refused_batch_and_a_stopped_run_are_told(self):
        client = self.connect(source=2)
        decisions = client.decide(numpy.zeros((3, 15), numpy.float32))
        self.assertEqual((decisions.outcome, decisions.reason), (Outcome.REFUSED, "feature_count"))
        future = client.submit(ROWS[:10])
        client.wait_answers(PATIENCE_S)
        self.assertEqual(future.result().outcome, Outcome.DECIDED)
        counts = client.close(PATIENCE_S)
        self.assertEqual((counts.events_sent, counts.events_refused + counts.events_malformed), (13, 3))
        self.daemon.stop_run()

        idle = self.connect(source=2)
        waiting = idle.submit(ROWS[:10])
        idle.poll(0.1)
        self.assertFalse(waiting.done())
        self.assertEqual(self.daemon.kantrig("run", "start").returncode, 0)
        idle.wait_answers(PATIENCE_S)
        self.assertEqual((waiting.result().outcome, waiting.result().message.run), (Outcome.DECIDED, 2))
        idle.close(PATIENCE_S)
        self.daemon.stop_run()
        self.daemon.stop()

    def test_an_unknown_source_is_told_so(self):
        daemon = Daemon(self, events__lanes_max="2", events__sources="[1]").start()
        with self.assertRaisesRegex(Refused, "source_unknown: expected a source from the list"):
            Client(daemon.events, source=9)
        daemon.stop_run()
        daemon.stop()


if __name__ == "__main__":
    run_tests()
