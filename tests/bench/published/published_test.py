#!/usr/bin/env python3
"""Splits by seed, and one pass of measure.py over moons, which need no data. Argument: --kanc PROGRAM."""
import json
import pathlib
import subprocess
import sys
import unittest

import samples

HERE = pathlib.Path(__file__).resolve().parent
KANC = ""


def measure(*arguments):
    command = [sys.executable, "-B", HERE / "measure.py", "--kanc", KANC, "--data", "/nonexistent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class SplitTest(unittest.TestCase):
    def test_the_generator_draws_what_numpy_draws(self):
        samples.check_generator()

    def test_a_split_takes_every_row_once_and_the_same_part_of_each_class(self):
        labels = ["1"] * 59 + ["2"] * 71 + ["3"] * 48
        for seed in range(20):
            learn, judge = samples.split(labels, 0.3, seed)
            self.assertEqual(sorted(learn + judge), list(range(178)))
            self.assertEqual([[labels[i] for i in judge].count(name) for name in "123"], [18, 21, 15])

    def test_a_split_depends_on_its_seed_alone(self):
        labels = ["a", "b"] * 50
        self.assertEqual(samples.split(labels, 0.2, 7), samples.split(labels, 0.2, 7))
        self.assertNotEqual(samples.split(labels, 0.2, 7), samples.split(labels, 0.2, 8))

    def test_the_best_rule_of_moons_is_right_where_classes_do_not_overlap(self):
        self.assertEqual(samples.moons_best_accuracy([(0.0, 1.0, "first"), (1.0, -0.5, "second")]), 1.0)
        self.assertEqual(samples.moons_best_accuracy([(0.0, 1.0, "second"), (1.0, -0.5, "first")]), 0.0)


class MeasureTest(unittest.TestCase):
    def test_moons_are_told_apart_nearly_as_well_as_can_be(self):
        done = measure("moons", "--seeds", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)["moons"]
        self.assertEqual(len(answer["runs"]), 1)
        self.assertEqual(answer["runs"][0]["test_rows"], 2000)
        self.assertLess(abs(answer["mean"] - answer["best_possible"]), 0.01)

    def test_a_data_set_that_is_not_there_is_named(self):
        done = measure("wine")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/wine.csv", done.stderr)


if __name__ == "__main__":
    at = sys.argv.index("--kanc")
    KANC = sys.argv[at + 1]
    del sys.argv[at : at + 2]
    unittest.main()
