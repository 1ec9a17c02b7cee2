"""The command line against the real daemon: every source of events, every verb, and the exit codes that --help documents."""
import json
import os
import shutil
import signal
import subprocess
import unittest

import numpy

from kantrig_daemon import BIN, FEATURES, MENU, MODELS, PATIENCE_S, SLICE, Daemon, Folder, kantrig, run_tests, until

ROWS = numpy.load(SLICE).astype(numpy.float32)[:1500]


class CommandTest(unittest.TestCase):
    def setUp(self):
        self.folder = Folder(self)
        self.daemon = Daemon(self, self.folder, events__lanes_max="8").start()

    def send(self, *arguments, lane=0, **options):
        return kantrig("send", "--endpoint", self.daemon.events, "--lane", str(lane), "--json", *arguments, **options)

    def sent(self, *arguments, **options):
        result = self.send("--control", self.daemon.control, *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        summary = json.loads(result.stdout)
        self.assertTrue(summary["balance"], summary)
        self.assertEqual(summary["ledger_residual"], 0)
        return summary

    def text(self, header=None, separator=",", rows=ROWS):
        lines = [separator.join(header)] if header else []
        lines += [separator.join(repr(float(v)) for v in row) for row in rows]
        return "\n".join(lines) + "\n"

    def write(self, name, text):
        path = self.folder / name
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class SendTest(CommandTest):
    def test_the_same_events_from_npy_csv_and_standard_input_end_the_same(self):
        numpy.save(self.folder / "rows.npy", ROWS)
        names = [f"feature_{i}" for i in range(FEATURES)]
        counts = [self.sent("--x", self.folder / "rows.npy"),
                  self.sent("--x", self.write("rows.csv", self.text(names))),
                  self.sent("--stdin", input=self.text()),
                  self.sent("--stdin", input=self.text(names, separator=" ")),
                  self.sent("--x", self.folder / "rows.npy", "--lanes", "3", "--batch", "7", lane=1)]
        self.assertEqual({c["events_sent"] for c in counts}, {len(ROWS)})
        self.assertEqual(len({c["events_accepted"] for c in counts}), 1, counts)
        self.assertEqual(self.daemon.stop_run()["totals"]["received"], str(5 * len(ROWS)))

    def test_a_summary_file_holds_what_is_printed(self):
        summary = self.sent("--x", SLICE, "--events", "3000", "--summary", self.folder / "out.json")
        with open(self.folder / "out.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file), summary)
        full = self.send("--x", SLICE, "--events", "10", "--summary", os.path.join(self.folder.path, "no", "where"))
        self.assertEqual(full.returncode, 5, full.stderr)
        self.daemon.stop_run()

    def test_every_decision_is_written_once_with_the_scores_of_its_event(self):
        summaries = [self.sent("--x", SLICE, "--events", "3000", "--batch", "64", "--lanes", lanes,
                               "--decisions", self.folder / f"{lanes}.csv", lane=first) for lanes, first in (("1", 0), ("3", 1))]
        texts = []
        for name in ("1.csv", "3.csv"):
            with open(self.folder / name, encoding="utf-8") as file:
                header, *lines = file.read().splitlines()
            self.assertEqual(header, "event,decision,class,path,generation,model,scores")
            texts.append(sorted(lines, key=lambda line: int(line.split(",")[0])))
        self.assertEqual([int(line.split(",")[0]) for line in texts[0]], list(range(3000)))
        self.assertEqual(texts[0], texts[1])
        for summary in summaries:
            self.assertEqual(summary["events_by_path"], {"cpu": 3000, "fpga": 0})
            self.assertEqual(sum(line.split(",")[1] == "accept" for line in texts[0]), summary["events_accepted"])
        for line in texts[0][:50]:
            scores = [int(score) for score in line.split(",")[6].split()]
            self.assertEqual(int(line.split(",")[2]), scores.index(max(scores)))
        full = self.send("--x", SLICE, "--events", "10", "--decisions", os.path.join(self.folder.path, "no", "where"))
        self.assertEqual(full.returncode, 5, full.stderr)
        self.daemon.stop_run()

    def test_events_that_cannot_be_read_or_do_not_fit_end_with_3(self):
        names = [f"feature_{i}" for i in range(FEATURES)]
        short = self.write("short.csv", self.text(names[:15], rows=ROWS[:3, :15]))
        ragged = self.write("ragged.csv", self.text(names) + "1,2,3\n")
        headless = self.write("headless.csv", self.text())
        cut = self.folder / "cut.npy"
        shutil.copy(SLICE, cut)
        os.truncate(cut, os.path.getsize(SLICE) - 10)
        cases = [(["--x", self.folder / "absent.npy"], ["absent.npy"], None),
                 (["--x", cut], ["cut.npy"], None),
                 (["--x", ragged], ["ragged.csv line 1502", "has 3 columns, expected 16"], None),
                 (["--x", headless], ["headless.csv line 1", "expected a header with column names"], None),
                 (["--x", short], ["15", "16"], None),
                 (["--x", SLICE, "--encoding", "code8"], ["is no code, expected a whole number from 0 to 255"], None),
                 (["--stdin"], ["line 2", "has 3 numbers, expected 16"], self.text(rows=ROWS[:1]) + "1 2 3\n"),
                 (["--stdin"], ["line 3", "expected 16"], self.text(rows=ROWS[:2]) + "one two\n")]
        for arguments, parts, stdin in cases:
            with self.subTest(arguments=arguments):
                result = self.send(*arguments, input=stdin)
                self.assertEqual(result.returncode, 3, result)
                for part in parts:
                    self.assertIn(part, result.stderr)
        self.daemon.stop_run()

    def test_a_wrong_command_line_ends_with_2_and_no_daemon_with_4(self):
        self.assertEqual(kantrig("send").returncode, 2)
        self.assertEqual(kantrig("send", "--x", SLICE, "--stdin").returncode, 2)
        self.assertEqual(kantrig("nothing").returncode, 2)
        nowhere = "ipc://" + (self.folder / "nowhere")
        for result in (kantrig("send", "--x", SLICE, "--endpoint", nowhere, "--answer-timeout-ms", "300"),
                       self.send("--x", SLICE, "--control", nowhere), kantrig("status", "--control", nowhere)):
            self.assertEqual(result.returncode, 4, result)
            self.assertIn("nowhere", result.stderr)
            self.assertIn("is kantrigd running?", result.stderr)

    def test_codes_are_decided_alike_in_one_byte_and_in_two(self):
        codes = numpy.arange(1500 * FEATURES).reshape(1500, FEATURES) % 37
        numpy.save(self.folder / "codes.npy", codes.astype(numpy.float32))
        counts = [self.sent("--x", self.folder / "codes.npy", "--encoding", e)["events_accepted"] for e in ("code8", "code16")]
        self.assertEqual(counts[0], counts[1])
        self.assertGreater(counts[0], 0)
        self.daemon.stop_run()


class OperatorTest(CommandTest):
    def ok(self, *arguments):
        result = self.daemon.kantrig(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, *arguments, code=4):
        result = self.daemon.kantrig(*arguments)
        self.assertEqual(result.returncode, code, result)
        return result.stderr

    def test_runs_are_started_and_stopped_once(self):
        self.sent("--x", SLICE, "--events", "2000")
        reply = json.loads(self.ok("run", "stop", "--comment", "enough", "--json"))
        record = json.loads(reply["record_json"])
        with open(reply["record_path"], encoding="utf-8") as file:
            self.assertEqual(json.load(file), record)
        self.daemon.assert_balance(record)
        self.assertEqual((record["stop_comment"], record["totals"]["received"]), ("enough", "2000"))
        self.assertIn("no run is on", self.refused("run", "stop"))
        self.assertEqual(json.loads(self.ok("run", "start", "--json"))["run"], "2")
        self.assertIn("run 2 is on; stop it first", self.refused("run", "start"))
        self.daemon.stop_run()

    def test_menus_are_shown_switched_and_loaded(self):
        with open(MENU, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(self.ok("menu", "show", "--text"), text)
        shown = json.loads(self.ok("menu", "show", "--json"))
        self.assertEqual((shown["column"], shown["columns"]), ("physics", ["physics", "calibration"]))
        before = self.sent("--x", SLICE, "--events", "5000")["events_accepted"]
        self.assertIn("[calibration]", self.ok("menu", "column", "calibration"))
        self.assertGreater(self.sent("--x", SLICE, "--events", "5000")["events_accepted"], before)
        self.assertIn("physics", self.refused("menu", "column", "cosmics"))

        everything = self.write("all.toml", 'version = 1\nname = "m"\nseed = 1\ncolumns = ["c"]\ndefault_column = "c"\n'
                                            '[[line]]\nname = "all"\nwhen = "any"\n')
        bundle = os.path.join(MODELS, "jets-1.1.0")
        self.assertEqual(kantrig("menu", "check", everything, "--model", bundle).returncode, 0)
        self.ok("menu", "load", everything)
        self.assertEqual(self.sent("--x", SLICE, "--events", "5000")["events_accepted"], 5000)
        broken = self.write("broken.toml", text.replace("class == t and", "class == higgs and"))
        checked = kantrig("menu", "check", broken, "--model", bundle)
        self.assertEqual(checked.returncode, 3)
        for said in (checked.stderr, self.refused("menu", "load", broken)):
            self.assertIn('unknown class "higgs", expected one of g q t w z', said)
        self.assertIn("absent.toml", self.refused("menu", "load", self.folder / "absent.toml", code=3))
        self.assertEqual(self.sent("--x", SLICE, "--events", "100")["events_accepted"], 100)
        record = self.daemon.stop_run()
        self.assertEqual([b["close_reason"] for b in record["blocks"]][:2], ["column", "menu"])

    def test_models_are_listed_and_what_fails_changes_nothing(self):
        models = json.loads(self.ok("model", "list", "--json"))["models"]
        self.assertEqual([(m["name"], m["state"], m["generation"]) for m in models], [("jets-1.1.0", "active", "1")])
        self.assertRegex(models[0]["digest"], "^[0-9a-f]{64}$")
        self.assertIn("absent-1.0.0", self.refused("model", "activate", "absent-1.0.0"))
        self.assertTrue(self.refused("model", "rollback"))
        self.assertTrue(self.refused("model", "unload", "jets-1.1.0"))
        self.assertEqual(self.daemon.status()["generation"], "1")
        self.sent("--x", SLICE, "--events", "100")
        self.daemon.stop_run()

    def test_watch_shows_again_and_again_and_ends_on_ctrl_c(self):
        looks = self.ok("watch", "--count", "2", "--interval", "0.1")
        self.assertEqual(looks.count("events/s, accepted"), 1)
        path = self.folder / "watched"
        with open(path, "w", encoding="utf-8") as file:
            process = subprocess.Popen([os.path.join(BIN, "kantrig"), "watch", "--control", self.daemon.control, "--interval",
                                        "0.1"], stdout=file, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)

        def watched():
            with open(path, encoding="utf-8") as file:
                return file.read().count("events/s, accepted") >= 2

        until(watched, "it watches")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE_S), -signal.SIGINT)  # as shells expect of what was interrupted
        self.assertEqual(process.stderr.read(), "")
        self.daemon.stop_run()


if __name__ == "__main__":
    run_tests()
