"""The shipped Prometheus and Grafana files: promtool has nothing against them, and they ask for metrics that exist."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "kantrig.json"

METRIC = re.compile(r"\b(?:kantrig|process)_[a-z0-9_]+")
# What Prometheus appends to the name of a histogram.
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")


def exported_metrics():
    """Every metric name in the sources of the daemon and in its page under test."""
    files = [*(ROOT / "services").rglob("*.cpp"), ROOT / "tests/unit/telemetry/exposer_test.cpp"]
    text = "".join(file.read_text() for file in files)
    return set(re.findall(r'"((?:kantrig|process)_[a-z0-9_]+)"', text))


def queries():
    """(where, expression) of the dashboard and the rules."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for line in (PROMETHEUS / "kantrig.rules.yml").read_text().splitlines():
        if line.strip().startswith("expr:"):
            yield line.strip(), line.split("expr:", 1)[1]


class Monitoring(unittest.TestCase):
    def promtool(self, *arguments):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_accepts_the_configuration(self):
        self.promtool("check", "config", "prometheus.yml")

    def test_alerts_fire_when_they_should_and_not_otherwise(self):
        self.promtool("test", "rules", "kantrig.rules.test.yml")

    def test_every_query_asks_for_metrics_that_the_daemon_exports(self):
        exported = exported_metrics()
        recorded = set(re.findall(r"record: (\S+)", (PROMETHEUS / "kantrig.rules.yml").read_text()))
        asked = 0
        for where, expression in queries():
            for record in recorded:
                expression = expression.replace(record, "")
            for name in METRIC.findall(expression):
                asked += 1
                self.assertIn(name if name in exported else SUFFIX.sub("", name), exported, where)
        self.assertGreater(asked, 20)

    def test_every_query_parses(self):
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not installed")
        rules = "groups:\n- name: dashboard\n  rules:\n"
        for index, (_, expression) in enumerate(queries()):
            plain = expression.strip().replace("$__rate_interval", "1m")
            rules += f"  - record: query:{index}\n    expr: {json.dumps(plain)}\n"
        done = subprocess.run(["promtool", "check", "rules", "/dev/stdin"], input=rules, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_panels_do_not_overlap_and_have_ids_of_their_own(self):
        panels = json.loads(DASHBOARD.read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        cells = set()
        for panel in panels:
            box = panel["gridPos"]
            self.assertLessEqual(box["x"] + box["w"], 24, panel["title"])
            for x in range(box["x"], box["x"] + box["w"]):
                for y in range(box["y"], box["y"] + box["h"]):
                    self.assertNotIn((x, y), cells, panel["title"])
                    cells.add((x, y))

    def test_the_dashboard_takes_its_data_source_from_a_variable(self):
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            for target in panel["targets"]:
                self.assertEqual(target["datasource"]["uid"], "${datasource}", panel["title"])


SKIPPED = 77  # what CTest shows as skipped, not as passed

if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped else 0)
