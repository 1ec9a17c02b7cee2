"""A disk that takes no run record for a while: events are decided all the same, nothing is lost, and the record is made good."""
import json
import os
import unittest

from kantrig_daemon import SLICE, Daemon, kantrig, run_tests, until

NOT_RECORDED = "closed blocks not recorded"
SLOTS = 64  # blocks that a shard's books hold for the record


class RecordingTest(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(self, events__lanes_max="2").start()
        # Root ignores permissions, but nobody writes a file where a folder is.
        self.obstacle = os.path.join(self.daemon.state, "runs", "run-000001.json.new")

    def send(self, events, lane=0):
        sent = kantrig("send", "--endpoint", self.daemon.events, "--control", self.daemon.control, "--x", SLICE, "--events",
                       str(events), "--lane", str(lane), "--json")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertTrue(json.loads(sent.stdout)["balance"])

    def column(self, name):
        return self.daemon.kantrig("menu", "column", name)

    def test_a_run_that_cannot_be_recorded_is_recorded_when_it_can_be(self):
        self.send(1000)
        os.mkdir(self.obstacle)
        self.assertEqual(self.column("calibration").returncode, 0)  # closes a block
        until(lambda: NOT_RECORDED in self.daemon.log, "it is logged")
        self.send(2000, lane=1)
        stopped = self.daemon.kantrig("run", "stop")
        self.assertEqual(stopped.returncode, 4)
        self.assertIn("run 1 is over, but its record is not complete; kantrig run stop tries again", stopped.stderr)
        self.assertIn("run-000001.json.new", stopped.stderr)
        self.assertEqual(self.daemon.status()["total_counts"]["residual"], "0")
        self.assertEqual(self.daemon.log.count(NOT_RECORDED), 1)  # not every second

        os.rmdir(self.obstacle)
        record = self.daemon.stop_run()
        self.assertEqual(record["totals"]["received"], "3000")
        self.assertEqual(sorted(c["client"]["events_sent"] for c in record["clients"]), ["1000", "2000"])
        self.assertIn("closed blocks recorded again", self.daemon.log)
        self.daemon.stop()

    def test_blocks_that_were_not_recorded_before_a_restart_are_recorded_after_it(self):
        os.mkdir(self.obstacle)
        self.send(1000)
        self.daemon.stop()
        self.assertIn("the last blocks stay in the ledger for the next start", self.daemon.log)
        self.assertIn("clients' own counts are not recorded", self.daemon.log)
        os.rmdir(self.obstacle)
        self.daemon.start()
        self.send(500)
        self.assertEqual(self.daemon.stop_run()["totals"]["received"], "1500")
        self.daemon.stop()

    def test_changes_wait_when_the_books_are_full_of_blocks_and_events_go_on(self):
        os.mkdir(self.obstacle)
        columns = ["calibration", "physics"]
        refused = None
        for i in range(SLOTS + 2):
            result = self.column(columns[i % 2])
            if result.returncode != 0:
                refused = result
                break
        self.assertIsNotNone(refused, "there is no bound on the blocks")
        self.assertIn("shard 0", refused.stderr)
        self.send(1000)
        again = self.column("physics")
        self.assertEqual(again.returncode, 4)
        self.assertIn("nothing else can be changed until then", again.stderr)
        os.rmdir(self.obstacle)
        until(lambda: self.column("physics").returncode == 0, lambda: "the books have room again: " + self.daemon.log)
        self.send(1000)
        record = self.daemon.stop_run()
        self.assertEqual(record["totals"]["received"], "2000")
        self.assertGreaterEqual(len(record["blocks"]), SLOTS)
        self.daemon.stop()


if __name__ == "__main__":
    run_tests()
