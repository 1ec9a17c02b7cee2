"""Installs the build into a folder of its own, then uses only that: the daemon, the C++ package and the Python package."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE_S = 90
OPTIONS = None

PYTHON_CLIENT = """
import sys
import kantrig
assert kantrig.__file__.startswith(sys.argv[1]), kantrig.__file__
with kantrig.Client(sys.argv[2], source=2, name="installed") as client:
    assert len(client.session.features) == 16, client.session.features
    assert client.session.classes == list("gqtwz"), client.session.classes
    decisions = client.decide([[float(i)] * 16 for i in range(100)])
    assert len(decisions.accepted) == 100, len(decisions.accepted)
"""


def run(*command, **options):
    """The command's output; its failure is the test's, with all that it said."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE_S, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


class Installation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Short, as the path of a Unix socket ends after 107 bytes.
        cls.folder = tempfile.TemporaryDirectory(prefix="kantrig-install-", dir="/tmp")
        cls.prefix = os.path.join(cls.folder.name, "prefix")
        run(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", cls.prefix)
        cls.addClassCleanup(cls.folder.cleanup)

    def installed(self, *parts):
        path = os.path.join(self.prefix, *parts)
        self.assertTrue(os.path.exists(path), f"{path} is not installed")
        return path

    def start_daemon(self):
        """The endpoints of events and of control, and the process."""
        work = tempfile.mkdtemp(dir=self.folder.name)
        events, control = f"ipc://{work}/events", f"ipc://{work}/control"
        settings = {
            "events.endpoints": events, "control.endpoint": control, "ledger.state_directory": work,
            "telemetry.listen": "127.0.0.1:0", "model.repository": self.installed("share/kantrig/models/jets"),
            "menu.file": self.installed("share/kantrig/menu.toml"),
        }
        command = [self.installed("bin/kantrigd"), "--config", self.installed("share/kantrig/kantrigd.toml")]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        daemon = subprocess.Popen(command)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        run(self.installed("bin/kantrig"), "status", "--control", control, "--wait", "30")
        return events, control, daemon

    def build_example(self):
        """The example program of the client library, by itself, against nothing but the installation."""
        build = os.path.join(self.folder.name, "example")
        run(OPTIONS.cmake, "-S", os.path.join(SOURCE, "services/client/example"), "-B", build, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={OPTIONS.compiler}",
            "-DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON")
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
            self.assertIn(f"kantrig_DIR:PATH={self.prefix}/", cache.read())
        run(OPTIONS.cmake, "--build", build)
        return os.path.join(build, "kantrig_client_example")

    def test_the_clients_of_the_installation_are_served_by_its_daemon_and_the_books_balance(self):
        example = self.build_example()
        events, control, daemon = self.start_daemon()
        output = run(example, events)
        self.assertIn("model of 16 features and 5 classes", output)
        self.assertIn("25600 events sent", output)
        python_path = self.installed("lib/python3/dist-packages")
        run("/usr/bin/python3", "-c", PYTHON_CLIENT, python_path, events, cwd=self.folder.name,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"})

        status = json.loads(run(self.installed("bin/kantrig"), "status", "--control", control, "--json"))
        counts = {name: int(count) for name, count in status["run_counts"].items()}
        self.assertEqual(25600 + 100, counts["received"])
        self.assertEqual(25600 + 100, counts["accepted"] + counts["rejected"])
        self.assertEqual(0, counts["residual"])
        run(self.installed("bin/kantrig"), "run", "stop", "--control", control)
        daemon.terminate()
        self.assertEqual(0, daemon.wait(PATIENCE_S))

    def test_a_program_that_links_the_client_needs_zeromq_protobuf_and_fmt_and_none_of_the_daemons_libraries(self):
        needed = run("readelf", "--dynamic", "--wide", self.build_example())
        for library in ("libzmq", "libprotobuf", "libfmt"):
            self.assertIn(library, needed)
        for library in ("prometheus", "boost", "spdlog", "sodium", "systemd", "toml"):
            self.assertNotIn(library, needed)

    def test_the_package_says_nothing_of_where_it_was_built(self):
        for folder, _, files in os.walk(os.path.join(self.prefix, "lib/cmake/kantrig")):
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as text:
                    self.assertNotIn(SOURCE, text.read(), file)

    def test_the_installed_headers_need_only_each_other_and_no_protobuf_or_zeromq(self):
        headers = os.path.join(self.prefix, "include/kantrig")
        for folder, _, files in os.walk(headers):
            for file in files:
                with open(os.path.join(folder, file), encoding="utf-8") as text:
                    for line in text:
                        if line.startswith('#include "'):
                            self.installed("include/kantrig", line.split('"')[1])
                        self.assertNotRegex(line, r"#include <(zmq|google|boost|prometheus|spdlog|kantrig)")

    def test_the_shipped_model_is_whole_and_the_unit_starts_the_installed_program(self):
        run(self.installed("bin/kantrig"), "model", "verify", self.installed("share/kantrig/models/jets/jets-1.1.0"))
        run(self.installed("bin/kanc"), "--help")
        for file in ("share/kantrig/proto/kantrig/v1/event.proto", "share/kantrig/prometheus/prometheus.yml",
                     "share/kantrig/grafana/kantrig.json", "share/kantrig/exporters/export_torch_kan.py", "lib/sysusers.d/kantrig.conf"):
            self.installed(file)
        with open(self.installed("lib/systemd/system/kantrigd.service"), encoding="utf-8") as unit:
            self.assertIn(f"\nExecStart={self.prefix}/bin/kantrigd --config /etc/kantrig/kantrigd.toml\n", unit.read())

    def test_the_emulated_card_is_a_part_by_itself_that_is_not_installed_unless_asked_for(self):
        for folder, _, files in os.walk(self.prefix):
            self.assertEqual([], [file for file in files if "emulated-card" in file or file.startswith("libxrt")], folder)
        prefix = os.path.join(self.folder.name, "emulated")
        run(OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", prefix, "--component", "emulated_card")
        program = os.path.join(prefix, "bin/kantrig-emulated-card")
        self.assertIn("programmed", run(program, "--dir", self.folder.name, "status"))
        if os.path.exists(os.path.join(OPTIONS.build, "emulated-card")):
            root = run(program, "root").strip()
            self.assertEqual(os.path.realpath(os.path.join(prefix, "lib/kantrig/emulated-card")), root)
            self.assertTrue(os.path.exists(os.path.join(root, "lib/libxrt_core.so.2")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--build", required=True, help="the tree that is installed")
    parser.add_argument("--compiler", required=True)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest)
