"""What an operator may have wrong: the daemon does not start, exits with 3 and names what it found and what it expected."""
import os
import resource
import shutil
import socket
import subprocess
import unittest


from kantrig_daemon import BIN, MENU, MODELS, PATIENCE_S, Daemon, Folder, kantrig, run_tests


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class StartUpTest(unittest.TestCase):
    def setUp(self):
        self.folder = Folder(self)

    def daemon(self, folder=None, **settings):
        return Daemon(self, folder, **{"events__lanes_max": "2", **settings})

    def assert_refused(self, daemon, *parts, **options):
        said = daemon.fails_to_start(**options)
        for part in parts:
            self.assertIn(part, said)
        self.assertNotIn(" ready ", said)


class ConfigurationTest(StartUpTest):
    def check(self, *arguments):
        return subprocess.run([os.path.join(BIN, "kantrigd"), *arguments], capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S)

    def test_a_wrong_key_is_named_with_what_was_expected(self):
        cases = [("[events]\nshard = 2\n", ["events.shard", "events.shards"]),
                 ("[evnts]\nshards = 2\n", ["evnts", "events"]),
                 ("[events]\nshards = 65\n", ["events.shards", "65", "1 to 64"]),
                 ("[events]\nshards = 0\n", ["events.shards", "1 to 64"]),
                 ("[events]\nshards = \"two\"\n", ["events.shards", "whole number"]),
                 ("[run]\nautostart = 1\n", ["run.autostart", "true or false"]),
                 ("[model]\nkernel_set = \"sse\"\n", ["model.kernel_set", "auto, scalar, avx2, avx512"]),
                 ("[telemetry]\nlisten = \"nowhere\"\n", ["telemetry.listen", "nowhere"]),
                 ("[events]\nendpoints = [\"udp://1.2.3.4:5\"]\n", ["events.endpoints", "udp://1.2.3.4:5", "ipc://"]),
                 ("[events]\ncredit_bytes = 1048576\n", ["events.credit_bytes", "events.payload_bytes_max"]),
                 ("[events\n", ["kantrigd.toml"])]
        for text, parts in cases:
            with self.subTest(text=text):
                path = write(self.folder / "kantrigd.toml", text)
                for mode in ([], ["--check-config"], ["--print-config"]):
                    result = self.check("--config", path, *mode)
                    self.assertEqual(result.returncode, 3, result)
                    self.assertEqual(result.stdout, "")
                    for part in parts:
                        self.assertIn(part, result.stderr)
        result = self.check("--config", self.folder / "absent.toml", "--check-config")
        self.assertEqual(result.returncode, 3)
        self.assertIn("absent.toml", result.stderr)

    def test_a_right_one_is_said_to_be_and_survives_being_printed(self):
        path = write(self.folder / "kantrigd.toml", '[events]\nshards = 3\nsources = [1, 2]\n[log]\nlevel = "warn"\n')
        result = self.check("--config", path, "--check-config")
        self.assertEqual((result.returncode, result.stdout), (0, "configuration is right\n"), result.stderr)
        printed = self.check("--config", path, "--set", "stop.drain_timeout_ms=7", "--print-config")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertRegex(printed.stdout, r"(?m)^shards = 3$")
        self.assertRegex(printed.stdout, r"(?m)^drain_timeout_ms = 7$")
        again = self.check("--config", write(self.folder / "printed.toml", printed.stdout), "--print-config")
        self.assertEqual(again.stdout, printed.stdout)
        self.assertEqual(self.check("--set", "events.shards").returncode, 3)
        self.assertEqual(self.check("--nonsense").returncode, 2)


class MenuAndModelTest(StartUpTest):
    def test_a_menu_naming_an_unknown_class_is_refused(self):
        with open(MENU, encoding="utf-8") as file:
            text = file.read().replace("class == t and", "class == higgs and")
        menu = write(self.folder / "menu.toml", text)
        self.assert_refused(self.daemon(menu__file=menu), "top_tag", "higgs", "expected one of g q t w z")
        self.assert_refused(self.daemon(menu__file=self.folder / "absent.toml"), "absent.toml", "No such file")
        self.assert_refused(self.daemon(menu__column="cosmics"), "cosmics", "physics", "calibration")

    def test_a_bundle_that_is_missing_or_changed_by_one_bit_is_refused(self):
        self.assert_refused(self.daemon(model__active="jets-9.9.9"), "jets-9.9.9")
        self.assert_refused(self.daemon(model__repository=self.folder / "nowhere"), "nowhere")
        files = []
        for at, _, names in os.walk(os.path.join(MODELS, "jets-1.1.0")):
            files += [os.path.relpath(os.path.join(at, name), MODELS) for name in names]
        self.assertIn("jets-1.1.0/model.pb", files)
        for file in sorted(files):
            with self.subTest(file=file):
                repository = self.folder / "models"
                shutil.copytree(MODELS, repository)
                path = os.path.join(repository, file)
                with open(path, "r+b") as changed:
                    middle = os.path.getsize(path) // 2
                    changed.seek(middle)
                    byte = changed.read(1)[0]
                    changed.seek(middle)
                    changed.write(bytes([byte ^ 1]))
                said = self.daemon(model__repository=repository).fails_to_start()
                self.assertIn("jets-1.1.0", said)
                if not file.endswith(("manifest.json", "manifest.sha256")):
                    self.assertIn(os.path.basename(file), said)
                verified = kantrig("model", "verify", os.path.join(repository, "jets-1.1.0"))
                self.assertEqual(verified.returncode, 3, verified)
                shutil.rmtree(repository)


class TakenTest(StartUpTest):
    def test_what_another_daemon_holds_is_refused_and_it_goes_on(self):
        first = self.daemon(self.folder).start()
        address = first.http.removeprefix("http://")
        other = Folder(self)
        cases = [(dict(events__endpoints=f'["{first.events}"]'), [first.events, "is another kantrigd running?"]),
                 (dict(control__endpoint=first.control), [first.control, "is another kantrigd running?"]),
                 (dict(telemetry__listen=address), ["telemetry.listen", address, "another program"]),
                 (dict(ledger__state_directory=first.state), ["ledger.state_directory", "another kantrigd is using it"])]
        for settings, parts in cases:
            with self.subTest(settings=settings):
                self.assert_refused(self.daemon(other, **settings), *parts)
        status = first.status()
        self.assertEqual((status["state"], first.page("/healthz")[0]), ("running", 200))
        first.stop_run()
        first.stop()

    def test_a_tcp_port_of_another_program_is_refused(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            self.assert_refused(self.daemon(events__endpoints=f'["{endpoint}"]'), endpoint, "address in use")
            self.assert_refused(self.daemon(control__endpoint=endpoint), "control socket", endpoint, "address in use")

    def test_a_socket_file_that_nobody_serves_is_taken_over(self):
        daemon = self.daemon(self.folder).start()
        daemon.kill()  # leaves its ipc files behind
        self.assertTrue(os.path.exists(self.folder / "events"))
        again = self.daemon(self.folder).start()
        again.stop_run()
        again.stop()


class StateDirectoryTest(StartUpTest):
    def test_one_that_cannot_be_written_is_refused(self):
        file = write(self.folder / "file", "")
        for path in (file, os.path.join(file, "below"), "/proc/kantrig"):
            self.assert_refused(self.daemon(ledger__state_directory=path), "ledger.state_directory", path, "cannot be written")

    def test_a_full_disk_is_named_before_any_event_is_taken(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        # As a disk without room does, the limit fails the reservation; its signal stays ignored, as in this interpreter.
        said = self.daemon(self.folder).fails_to_start(preexec_fn=small_files, restore_signals=False)
        self.assertRegex(said, r"ledger.*cannot reserve \d+ bytes: File too large")
        daemon = self.daemon(self.folder).start()  # with room again
        daemon.stop_run()
        daemon.stop()

    def test_a_ledger_that_is_none_or_was_made_with_other_limits_is_refused(self):
        daemon = self.daemon(self.folder).start()
        daemon.stop()
        self.assert_refused(self.daemon(self.folder, events__lanes_max="3"), "lanes_max 2", "set them back")
        ledger = os.path.join(daemon.state, "ledger-0.bin")
        with open(ledger, "r+b") as file:
            file.write(b"not a ledger")
        self.assert_refused(self.daemon(self.folder), ledger, "is not a kantrig ledger")
        os.truncate(ledger, 100)
        self.assert_refused(self.daemon(self.folder), ledger)

    def test_a_run_record_that_cannot_be_read_is_refused(self):
        daemon = self.daemon(self.folder).start()
        daemon.stop()
        record = os.path.join(daemon.state, "runs", "run-000001.json")
        with open(record, encoding="utf-8") as file:
            text = file.read()
        write(record, text[:len(text) // 2])
        self.assert_refused(self.daemon(self.folder), "run-000001.json", "repair the record or move it away")
        write(record, text)
        again = self.daemon(self.folder).start()
        again.stop_run()
        again.stop()


if __name__ == "__main__":
    run_tests()
