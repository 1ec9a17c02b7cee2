"""A published model without an input stage, imported, then fed with codes by the command line."""
import json
import os
import subprocess
import unittest

import numpy

from kantrig_daemon import BIN, Daemon, Folder, kantrig, run_tests

DATA = os.environ.get("KANTRIG_SHARED_DATA")
MENU = """version = 1
name = "m"
seed = 1
columns = ["c"]
default_column = "c"

[[line]]
name = "all"
when = "any"
"""


@unittest.skipUnless(DATA, "KANTRIG_SHARED_DATA is not set")
class CodesOnlyTest(unittest.TestCase):
    def test_takes_codes_and_refuses_floats(self):
        folder = Folder(self)
        case = os.path.join(DATA, "kanele", "jsc_openml")
        os.mkdir(folder / "models")
        imported = subprocess.run([os.path.join(BIN, "kanc"), "import", "kanele", case, "--out", folder / "models/codes-1.0.0",
                                   "--name", "codes", "--version", "1.0.0"], capture_output=True, text=True, check=False)
        self.assertEqual(imported.returncode, 0, imported.stderr)
        with open(folder / "menu.toml", "w", encoding="utf-8") as file:
            file.write(MENU)
        daemon = Daemon(self, folder, model__repository=folder / "models", model__active="codes-1.0.0",
                        menu__file=folder / "menu.toml", events__lanes_max="2").start()
        codes = numpy.loadtxt(os.path.join(case, "vectors_in.txt"), dtype=numpy.float32, ndmin=2)
        numpy.save(folder / "codes.npy", codes)
        for encoding in ("code8", "code16"):
            result = kantrig("send", "--endpoint", daemon.events, "--control", daemon.control, "--x", folder / "codes.npy",
                             "--encoding", encoding, "--json")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(result.stdout)["events_accepted"], len(codes))
        floats = kantrig("send", "--endpoint", daemon.events, "--x", folder / "codes.npy", "--json")
        self.assertEqual(floats.returncode, 3, floats)
        self.assertIn("expected CODE8 or CODE16", floats.stderr)
        daemon.stop_run()
        daemon.stop()


if __name__ == "__main__":
    run_tests()
