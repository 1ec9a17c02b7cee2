"""A real kantrigd in a temporary folder, and the programs and raw sockets that talk to it. For the system tests in Python.

The programs are found through KANTRIG_BIN, set by the tests' CMake list.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import zmq

from kantrig.v1 import event_pb2, session_pb2

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ["KANTRIG_BIN"]
SLICE = os.path.join(SOURCE, "tests", "data", "jets16_slice_x.npy")
MODELS = os.path.join(SOURCE, "firmware", "models", "jets")
MENU = os.path.join(SOURCE, "config", "menu.toml")
FEATURES = 16
PATIENCE_S = 30.0


def until(done, what, timeout_s=PATIENCE_S):
    """Asks again and again until `done()` is true, and returns what it said; fails with `what` at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = done()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(0.01)  # between two questions; the deadline is above


class Folder:
    """Ends with the test. Short, for a Unix socket's path has 107 bytes."""

    def __init__(self, test):
        self.path = tempfile.mkdtemp(prefix="kantrig-", dir="/tmp")
        test.addCleanup(shutil.rmtree, self.path, ignore_errors=True)

    def __truediv__(self, name):
        return os.path.join(self.path, name)


class Daemon:
    """One kantrigd. start() waits until it is ready; stop() ends it and asserts how it ended."""

    def __init__(self, test, folder=None, **settings):
        """`settings` as section__key=value; they go on top of what keeps the daemon inside its folder."""
        self.test = test
        self.folder = folder or Folder(test)
        self.state = self.folder / "state"
        self.events = "ipc://" + (self.folder / "events")
        self.control = "ipc://" + (self.folder / "control")
        self.settings = {"events.endpoints": json.dumps([self.events]), "control.endpoint": self.control,
                         "ledger.state_directory": self.state, "telemetry.listen": "127.0.0.1:0",
                         "model.repository": MODELS, "model.active": "jets-1.1.0", "menu.file": MENU,
                         "stop.drain_timeout_ms": "2000"}
        for key, value in settings.items():
            self.settings[key.replace("__", ".")] = value
        self.log_path = self.folder / f"log-{os.urandom(4).hex()}"
        self.process = None
        test.addCleanup(self._end)

    def command(self, *arguments):
        line = [os.path.join(BIN, "kantrigd"), *arguments]
        for key, value in self.settings.items():
            line += ["--set", f"{key}={value}"]
        return line

    def launch(self, *arguments, environment=None, **options):
        """Starts it and does not wait."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env={**os.environ, **(environment or {})}, **options)
        log.close()
        return self

    def start(self, *arguments, **options):
        self.launch(*arguments, **options)
        status = self.kantrig("status", "--wait", "20")
        self.test.assertEqual(status.returncode, 0, status.stderr + self.log)
        until(lambda: self._ready_lines(), lambda: "ready: " + self.log)
        return self

    def _ready_lines(self):
        return re.findall(r" ready .*metrics=(http://\S+)/metrics", self.log)

    def fails_to_start(self, *arguments, **options):
        """Runs it to its end, which must be exit code 3, and returns what it said."""
        self.launch(*arguments, **options)
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.test.fail("it started: " + self.log)
        self.test.assertEqual(code, 3, self.log)
        return self.log

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    @property
    def http(self):
        return self._ready_lines()[-1]

    def page(self, path):
        """Status and text of an HTTP page."""
        try:
            with urllib.request.urlopen(self.http + path, timeout=PATIENCE_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self):
        return Metrics(self.page("/metrics")[1])

    def kantrig(self, *arguments, **options):
        """Runs `kantrig <verb> --control ...` to its end."""
        return kantrig(*arguments, "--control", self.control, **options)

    def status(self):
        reply = self.kantrig("status", "--json")
        self.test.assertEqual(reply.returncode, 0, reply.stderr)
        return json.loads(reply.stdout)

    def stop_run(self):
        """Stops the run and returns its record, which must balance."""
        reply = self.kantrig("run", "stop", "--json")
        self.test.assertEqual(reply.returncode, 0, reply.stderr + self.log)
        record = json.loads(json.loads(reply.stdout)["record_json"])
        self.assert_balance(record)
        return record

    def assert_balance(self, record):
        totals = {name: int(value) for name, value in record["totals"].items()}
        ends = sum(totals[name] for name in ("accepted", "rejected", "duplicate", "malformed", "refused", "in_flight"))
        self.test.assertEqual((totals["residual"], totals["received"]), (0, ends), totals)
        self.test.assertTrue(record["residual_is_zero"])
        self.test.assertTrue(record["clients_agree"], record["clients"])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        code = self.process.wait(PATIENCE_S)
        self.process = None
        self.test.assertEqual(code, 0, self.log)

    def _end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Metrics:
    """One page of metrics: name and labels as written, to value."""

    def __init__(self, text):
        self.text = text
        self.values = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                self.values[name] = float(value)

    def __getitem__(self, name):
        return self.values[name]

    def without_decision(self, reason):
        """Events and batches."""
        return (self[f'kantrig_events_without_decision_total{{reason="{reason}"}}'],
                self[f'kantrig_batches_without_decision_total{{reason="{reason}"}}'])


def kantrig(*arguments, **options):
    options.setdefault("timeout", 60)
    return subprocess.run([os.path.join(BIN, "kantrig"), *arguments], capture_output=True, text=True, check=False, **options)


class Neighbour:
    """A well-behaved client beside the fault: `kantrig send` at a modest rate until it is ended. It must not be harmed."""

    def __init__(self, daemon, source=1, lane=0):
        self.test = daemon.test
        self.process = subprocess.Popen(
            [os.path.join(BIN, "kantrig"), "send", "--x", SLICE, "--loop", "--rate", "20000", "--batch", "64", "--pending",
             "8", "--endpoint", daemon.events, "--source", str(source), "--lane", str(lane), "--quiet", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.test.addCleanup(self._end)
        until(lambda: daemon.metrics()["kantrig_events_received_total"] > 0, "the neighbour sends")

    def end(self):
        """Asks it to finish; it must have had one decision for each event and no trouble."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.test.assertEqual(self.process.returncode, 0, err)
        summary = json.loads(out)
        self.test.assertGreater(summary["events_sent"], 0)
        self.test.assertEqual(summary["events_accepted"] + summary["events_rejected"], summary["events_sent"], summary)
        self.test.assertEqual((summary["batches_resent"], summary["reconnects"]), (0, 0), summary)
        return summary

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class RawClient:
    """A DEALER that sends whatever the test wants."""

    def __init__(self, test, endpoint, receive_hwm=0, receive_buffer_bytes=None):
        self.test = test
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVHWM, receive_hwm)
        self.socket.setsockopt(zmq.SNDHWM, 0)
        if receive_buffer_bytes:
            self.socket.setsockopt(zmq.RCVBUF, receive_buffer_bytes)
        self.socket.connect(endpoint)
        self.source = self.lane = 0
        self.next_sequence = 0
        test.addCleanup(self.close)

    def close(self):
        self.socket.close(0)
        self.context.term()

    def send(self, *frames):
        self.socket.send_multipart(frames)

    def receive(self, timeout_s=PATIENCE_S):
        """The next message of the daemon; None when none comes in time."""
        if not self.socket.poll(int(timeout_s * 1000)):
            return None
        frames = self.socket.recv_multipart()
        self.test.assertEqual(len(frames), 1)
        return session_pb2.ServerMessage.FromString(frames[0])

    def answer(self, *frames):
        """Sends, and returns the DecisionBatch that comes back."""
        self.send(*frames)
        return self.next_decision()

    def next_decision(self):
        reply = self.receive()
        self.test.assertIsNotNone(reply, "no answer")
        self.test.assertEqual(reply.WhichOneof("body"), "decision", reply)
        return reply.decision

    def hello(self, source=1, lane=0, version=1):
        """Returns the Welcome."""
        self.source, self.lane = source, lane
        self.send(session_pb2.ClientMessage(hello=session_pb2.Hello(
            protocol_version=version, source_id=source, lane=lane, name="a test", instance=1)).SerializeToString())
        reply = self.receive()
        self.test.assertIsNotNone(reply, "no welcome")
        self.test.assertEqual(reply.WhichOneof("body"), "welcome", reply)
        self.next_sequence = reply.welcome.next_sequence
        return reply.welcome

    def header(self, events, **fields):
        """A header of this lane; a valid one but for `fields`. The next sequence, which it does not use up."""
        values = dict(protocol_version=1, source_id=self.source, lane=self.lane, sequence=self.next_sequence,
                      event_count=events, feature_count=FEATURES, encoding=event_pb2.ENCODING_FLOAT32)
        values.update(fields)
        return event_pb2.EventBatchHeader(**values).SerializeToString()

    def batch(self, events, payload, **fields):
        """Sends a batch with the next sequence and uses it up."""
        self.send(self.header(events, **fields), payload)
        self.next_sequence += 1

    def acknowledge_drain(self):
        self.send(session_pb2.ClientMessage(
            drain_ack=session_pb2.DrainAck(last_sequence=self.next_sequence - 1), source_id=self.source,
            lane=self.lane).SerializeToString())


def run_tests():
    unittest.main(verbosity=2)
