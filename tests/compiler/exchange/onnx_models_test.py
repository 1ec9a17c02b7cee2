"""Models as ONNX, executed operator by operator: the shipped bundle's golden vectors bit for bit, real events as kanc evaluate judges them, and
an imported model before and after it is quantised."""
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

import numpy

import onnx_run
import torch_writer
from kantrig.v1 import bundle_pb2

KANC = os.path.join(os.environ["KANTRIG_BIN"], "kanc")
SOURCE = os.environ["KANTRIG_SOURCE"]
JETS = os.path.join(SOURCE, "firmware/models/jets/jets-1.1.0")
EVENTS = os.path.join(SOURCE, "tests/data/jets16_slice_x.npy")
LABELS = os.path.join(SOURCE, "tests/data/jets16_slice_y.npy")


def kanc(*arguments):
    done = subprocess.run([KANC, *arguments], capture_output=True, text=True, timeout=100, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class JetsAsOnnx(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = os.path.join(folder.name, "jets.onnx")

    def test_the_golden_vectors_come_out_bit_for_bit(self):
        golden = bundle_pb2.GoldenVectors()
        with open(os.path.join(JETS, "golden/vectors.pb"), "rb") as file:
            golden.ParseFromString(file.read())
        codes = numpy.frombuffer(golden.inputs, dtype="<u2").reshape(golden.vector_count, golden.input_count)
        expected = numpy.frombuffer(golden.outputs, dtype="<i2").reshape(golden.vector_count, golden.output_count)
        self.assertGreater(golden.vector_count, 500)
        kanc("export", "onnx", JETS, "--codes", "--out", self.file)
        outputs = onnx_run.run(onnx_run.load(self.file), {"codes": codes.astype(numpy.int64)})
        numpy.testing.assert_array_equal(expected, outputs["outputs"])
        print(f"{expected.size} of {expected.size} golden outputs equal", file=sys.stderr)

    def test_real_events_are_decided_as_kanc_evaluate_decides_them(self):
        kanc("export", "onnx", JETS, "--out", self.file)
        events, labels = numpy.load(EVENTS), numpy.load(LABELS)
        outputs = onnx_run.run(onnx_run.load(self.file), {"x": events.astype(numpy.float32)})
        judged = json.loads(kanc("evaluate", JETS, "--x", EVENTS, "--y", LABELS, "--json"))
        self.assertEqual((len(events), 0), (judged["events"], judged["malformed"]))
        confusion = numpy.zeros((5, 5), dtype=int)
        numpy.add.at(confusion, (labels, outputs["class"]), 1)
        self.assertEqual(judged["confusion"], confusion.tolist())
        numpy.testing.assert_array_equal(outputs["class"], outputs["outputs"].argmax(axis=1))


class ImportedKanAsOnnx(unittest.TestCase):
    def test_an_efficient_kan_is_imported_and_quantised_and_both_say_the_same(self):
        seed = random.Random(1)
        state = collections.OrderedDict()
        for l, (inputs, nodes) in enumerate(((3, 4), (4, 2))):
            for part, shape in (("base_weight", (nodes, inputs)), ("spline_weight", (nodes, inputs, 8)), ("spline_scaler", (nodes, inputs))):
                state[f"layers.{l}.{part}"] = torch_writer.full(shape, lambda _: seed.uniform(-1.0, 1.0))
            state[f"layers.{l}.grid"] = torch_writer.Tensor((inputs, 12), [0.4 * i - 1.0 for i in range(-3, 9)] * inputs)
        x = numpy.random.default_rng(1).uniform(-1.0, 1.0, (2000, 3)).astype(numpy.float32)
        with tempfile.TemporaryDirectory() as folder:
            def path(name):
                return os.path.join(folder, name)
            torch_writer.save(state, path("model.pt"))
            numpy.save(path("x.npy"), x)
            kanc("import", "torch", path("model.pt"), "--checkpoint-out", path("model.kan"))
            kanc("quantize", path("model.kan"), "--x", path("x.npy"), "--bits", "8,8,8", "--out", path("model-1.0.0"))
            kanc("export", "onnx", path("model.kan"), "--out", path("float.onnx"))
            kanc("export", "onnx", path("model-1.0.0"), "--out", path("lookup.onnx"))
            functions = onnx_run.run(onnx_run.load(path("float.onnx")), {"x": x})["outputs"]
            lookups = onnx_run.run(onnx_run.load(path("lookup.onnx")), {"x": x})["scores"]
        off = numpy.sqrt(numpy.mean((functions - lookups) ** 2, axis=0)) / functions.std(axis=0)
        print(f"8 bits lose {off} of a standard deviation", file=sys.stderr)
        self.assertLess(off.max(), 0.06)


if __name__ == "__main__":
    unittest.main()
