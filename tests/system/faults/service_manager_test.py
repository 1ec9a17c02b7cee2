"""What the daemon tells systemd, to a socket of the test's own: ready, watchdog, reload and stop, each when it is true."""
import json
import os
import re
import shutil
import signal
import socket
import time
import unittest

from kantrig_daemon import MENU, PATIENCE_S, SLICE, Daemon, Folder, kantrig, run_tests, until

EVENTS = 2000
ALL = '''version = 1
name = "everything"
seed = 1
columns = ["physics"]
default_column = "physics"

[[line]]
name = "all"
when = "any"
'''


class ServiceManagerTest(unittest.TestCase):
    def setUp(self):
        folder = Folder(self)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(folder / "notify")
        self.said = []
        self.menu = folder / "menu.toml"
        shutil.copy(MENU, self.menu)
        self.environment = {"NOTIFY_SOCKET": folder / "notify"}
        self.daemon = Daemon(self, folder, events__lanes_max="2", menu__file=self.menu)

    def next_message(self, having, timeout_s=PATIENCE_S):
        """The next message with this field, as a dictionary; all others on the way are kept in `said`."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                text = self.socket.recv(65536).decode()
            except TimeoutError:
                break
            message = dict(line.split("=", 1) for line in text.splitlines())
            self.said.append(message)
            if having in message:
                return message
        return self.fail(f"no {having} within {timeout_s} s, but {self.said}; {self.daemon.log}")

    def start(self, **environment):
        self.daemon.launch(environment={**self.environment, **environment})
        message = self.next_message("READY")
        self.assertEqual(message["READY"], "1")
        self.assertRegex(message["STATUS"], r"^running: run 1 block 1, model jets-1\.1\.0 generation 1, 0 batches$")
        self.assertNotIn(" error ", self.daemon.log)
        status = self.daemon.status()  # what it said is true
        self.assertEqual((status["state"], status["run"]), ("running", "1"))

    def accepted(self):
        """Sends the same events; how many of them were accepted."""
        sent = kantrig("send", "--endpoint", self.daemon.events, "--control", self.daemon.control, "--x", SLICE, "--events",
                       str(EVENTS), "--json")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        return json.loads(sent.stdout)["events_accepted"]

    def reload(self, menu):
        with open(self.menu, "w", encoding="utf-8") as file:
            file.write(menu)
        before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.daemon.process.send_signal(signal.SIGHUP)
        message = self.next_message("RELOADING")
        self.assertEqual(message["RELOADING"], "1")
        after_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.assertTrue(before_us <= int(message["MONOTONIC_USEC"]) <= after_us, message)
        return self.next_message("READY")["STATUS"]

    def stop(self):
        self.daemon.process.send_signal(signal.SIGTERM)
        message = self.next_message("STOPPING")
        self.assertEqual(message, {"STOPPING": "1", "STATUS": "draining"})
        self.assertEqual(self.next_message("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"], "7000000")
        self.assertEqual(self.daemon.process.wait(PATIENCE_S), 0, self.daemon.log)
        self.daemon.process = None

    def test_ready_then_signs_of_life_then_stopping(self):
        self.start(WATCHDOG_USEC="2000000")
        for _ in range(4):
            self.assertEqual(self.next_message("WATCHDOG", timeout_s=2.0)["WATCHDOG"], "1")
        self.accepted()
        line = self.next_message("STATUS")["STATUS"]
        self.assertRegex(line, r"^running: run 1 block 1, .* 2 batches$")
        self.daemon.stop_run()
        self.stop()

    def test_without_a_watchdog_no_signs_of_life_are_sent(self):
        self.start()
        self.next_message("STATUS", timeout_s=10.0)  # it lived for five seconds
        self.assertFalse([m for m in self.said if "WATCHDOG" in m], self.said)
        self.stop()

    def test_a_daemon_that_cannot_start_never_says_ready(self):
        self.daemon.settings["model.active"] = "absent-1.0.0"
        self.daemon.fails_to_start(environment=self.environment)
        self.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.socket.recv(65536)

    def test_a_reload_takes_over_the_menu_at_a_new_block(self):
        self.start()
        some = self.accepted()
        self.assertTrue(0 < some < EVENTS, some)
        self.assertRegex(self.reload(ALL), r"^running: run 1 block 2, ")
        self.assertEqual(self.accepted(), EVENTS)
        blocks = self.daemon.stop_run()["blocks"]
        self.assertEqual([(b["block"], b["counts"]["accepted"]) for b in blocks[:2]],
                         [("1", str(some)), ("2", str(EVENTS))])
        self.assertEqual(blocks[0]["close_reason"], "menu")
        self.stop()

    def test_a_reload_of_a_broken_menu_keeps_the_old_one_and_says_why(self):
        self.start()
        some = self.accepted()
        for menu, why in (("nonsense", "menu.toml"), (ALL.replace("any", "class == higgs"), "higgs")):
            status = self.reload(menu)
            self.assertRegex(status, r"^reload failed: ")
            self.assertIn(why, status)
            self.assertIn("the menu stays as it was", self.daemon.log)
        os.unlink(self.menu)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertIn("No such file", self.next_message("READY")["STATUS"])
        self.assertEqual(self.accepted(), some)
        self.assertEqual(self.daemon.status()["block"], "1")
        self.assertEqual(len(re.findall("reload: the menu stays", self.daemon.log)), 3)
        self.daemon.stop_run()
        self.stop()

    def test_a_reload_of_a_broken_configuration_changes_nothing(self):
        config = os.path.join(os.path.dirname(self.menu), "kantrigd.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[log]\nlevel = "info"\n')
        self.daemon.launch("--config", config, environment=self.environment)
        self.next_message("READY")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[log]\nlevel = "loud"\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        status = self.next_message("READY")["STATUS"]
        self.assertIn("reload refused", status)
        self.assertIn("log.level", status)
        with open(config, "w", encoding="utf-8") as file:
            file.write('[log]\nlevel = "info"\n[events]\nspin_us = 1\n[threads]\nspin_us = 1\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertIn("events.spin_us", self.next_message("READY")["STATUS"])
        with open(config, "w", encoding="utf-8") as file:
            file.write('[log]\nlevel = "info"\n[threads]\nspin_us = 1\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertRegex(self.next_message("READY")["STATUS"], "^running: ")
        until(lambda: "changed, but needs a restart key=threads.spin_us" in self.daemon.log, "it is logged")
        self.stop()


if __name__ == "__main__":
    run_tests()
