"""What monitoring sees: the page by promtool, the daemon by a real Prometheus on the shipped configuration, the health pages."""
import json
import os
import re
import shutil
import signal
import subprocess
import unittest
import urllib.parse
import urllib.request

from kantrig_daemon import PATIENCE_S, SLICE, SOURCE, Daemon, Folder, RawClient, kantrig, run_tests, until

EVENTS = 12_345
SHIPPED = os.path.join(SOURCE, "deploy", "prometheus")


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


class MonitoringTest(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(self, events__lanes_max="2").start()
        sent = kantrig("send", "--endpoint", self.daemon.events, "--x", SLICE, "--events", str(EVENTS))
        self.assertEqual(sent.returncode, 0, sent.stderr)

    def finish(self):
        self.assertEqual(self.daemon.stop_run()["totals"]["received"], str(EVENTS))
        self.daemon.stop()

    @needs("promtool")
    def test_promtool_finds_nothing_to_say_of_the_page(self):
        page = self.daemon.metrics()
        result = subprocess.run(["promtool", "check", "metrics"], input=page.text, capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(page["kantrig_events_received_total"], EVENTS)
        self.assertEqual(page["kantrig_ledger_residual_events"], 0)
        self.finish()

    @needs("prometheus")
    def test_a_real_prometheus_on_the_shipped_configuration_knows_the_target_and_its_events(self):
        base = self.start_prometheus()

        def ask(path, **query):
            with urllib.request.urlopen(f"{base}{path}?{urllib.parse.urlencode(query)}", timeout=PATIENCE_S) as reply:
                return json.load(reply)["data"]

        def target():
            return next((t for t in ask("/api/v1/targets")["activeTargets"] if t["labels"]["job"] == "kantrigd"), {})

        def received():
            return [r["value"][1] for r in ask("/api/v1/query", query="kantrig_events_received_total")["result"]]

        until(lambda: target().get("health") == "up", lambda: f"the target is up: {target()}")
        until(lambda: received() == [str(EVENTS)], lambda: f"the query is answered: {received()}")
        groups = ask("/api/v1/rules")["groups"]
        self.assertEqual(sorted(g["name"] for g in groups), ["kantrig-alerts", "kantrig-recording"])
        until(lambda: all(r["health"] == "ok" for g in ask("/api/v1/rules")["groups"] for r in g["rules"]),
              lambda: f"every rule is evaluated: {ask('/api/v1/rules')}")
        self.assertEqual(ask("/api/v1/query", query='ALERTS{alertstate="firing"}')["result"], [])
        self.finish()

    def start_prometheus(self):
        """On a copy of what is shipped, with this daemon's address in place of the usual one. Returns its address."""
        folder = Folder(self)
        shutil.copytree(SHIPPED, folder / "shipped")
        path = folder / "shipped/prometheus.yml"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn('"127.0.0.1:9464"', text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("127.0.0.1:9464", self.daemon.http.removeprefix("http://")))
        log_path = folder / "prometheus.log"
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}",
                 "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def address():
            with open(log_path, encoding="utf-8") as file:
                self.said = file.read()
            return re.search(r"msg=\"Listening on\" address=(127\.0\.0\.1:\d+)", self.said)

        base = "http://" + until(address, lambda: "prometheus listens: " + self.said).group(1)

        def ready():
            try:
                with urllib.request.urlopen(base + "/-/ready", timeout=PATIENCE_S) as reply:
                    return reply.status == 200
            except OSError:
                return False

        until(ready, "prometheus is ready")
        return base

    def test_health_and_readiness_tell_running_from_draining(self):
        for page in ("/healthz", "/readyz"):
            self.assertEqual(self.daemon.page(page), (200, "ok\n"))
            self.assertIn("all reproduce their golden vectors", self.daemon.page(page + "?verbose")[1])
        self.assertIn("state: running", self.daemon.page("/readyz?verbose")[1])
        self.assertEqual(self.daemon.page("/nothing")[0], 404)

        client = RawClient(self, self.daemon.events)  # does not acknowledge the drain: it goes on until its limit
        client.hello()
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.receive().credit.events, 0)
        status, text = self.daemon.page("/readyz")
        self.assertEqual((status, text), (503, "not ok\nstate: draining\n"))
        self.assertEqual(self.daemon.page("/healthz")[0], 200)
        client.acknowledge_drain()
        self.assertEqual(self.daemon.process.wait(PATIENCE_S), 0)
        self.daemon.process = None
        self.daemon.start()  # the run goes on
        self.finish()


if __name__ == "__main__":
    run_tests()
