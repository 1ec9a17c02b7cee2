"""The published KANELE checkpoints ($KANTRIG_SHARED_DATA/kanele): tables entry for entry, published vectors, and the input stage in physical units."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy

sys.path.insert(0, os.environ["KANTRIG_EXPORTERS"])
import torch_file  # noqa: E402
from kantrig.v1 import bundle_pb2  # noqa: E402

BIN = os.environ["KANTRIG_BIN"]
PUBLISHED = os.path.join(os.environ.get("KANTRIG_SHARED_DATA", "/nonexistent"), "kanele")
ROWS = 200_000
SEED = 7


@unittest.skipUnless(os.path.isdir(PUBLISHED), "KANTRIG_SHARED_DATA with kanele/ is not there")
class PublishedCheckpoints(unittest.TestCase):
    def check(self, name, entries, edges):
        [checkpoint] = glob.glob(os.path.join(PUBLISHED, name, "*.pt"))
        folder = os.path.join(PUBLISHED, name)
        with tempfile.TemporaryDirectory() as work:
            bundle = os.path.join(work, f"{name}-1.0.0")
            done = self.run_program("kanc", "import", "torch", checkpoint, "--config", os.path.join(folder, "config.json"),
                                    "--expect", os.path.join(folder, "truth_tables.json"), "--out", bundle)
            self.assertIn(f"tables: {entries} of {entries} entries on {edges} active edges equal", done)
            # What the published hardware gives for the published vectors, the bundle gives too.
            self.run_program("kantrig", "model", "verify", bundle, "--inputs", os.path.join(folder, "vectors_in.txt"),
                             "--expect", os.path.join(folder, "vectors_out.txt"))
            self.check_input_stage(name, bundle, torch_file.read(checkpoint))

    def run_program(self, program, *arguments):
        done = subprocess.run([os.path.join(BIN, program), *arguments], capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def check_input_stage(self, name, bundle, root):
        """Codes of the bundle, in float32 as it is defined, against the published transform in double precision."""
        state = root["model_state_dict"]
        with open(os.path.join(PUBLISHED, name, "config.json"), encoding="utf-8") as file:
            bits = json.load(file)["layers_bitwidth"][0]

        def values(key):
            return numpy.array(state[f"input_layer.{key}"].values, dtype=numpy.float64)
        weight, bias, mean, variance = (values(f"pre_transforms.0.{part}") for part in ("weight", "bias", "running_mean", "running_var"))
        [shared] = values("pre_transforms.1.bias")
        [threshold] = [tensor.item() for key, tensor in state.items() if key.startswith("input_layer.brevitas")]
        standard_mean, standard_scale = (numpy.array(root.get(key, neutral * numpy.ones_like(mean)))
                                         for key, neutral in (("scaler_mean_", 0.0), ("scaler_scale_", 1.0)))
        random = numpy.random.default_rng(SEED)
        standard = mean + 2.0 * numpy.sqrt(variance) * random.standard_normal((ROWS, len(mean)))
        x = (standard * standard_scale + standard_mean).astype(numpy.float32)

        half, scale = 1 << (bits - 1), threshold / (1 << (bits - 1))
        normal = ((x.astype(numpy.float64) - standard_mean) / standard_scale - mean) / numpy.sqrt(variance + 1e-5) * weight + bias
        exact = (normal + shared) / scale
        expected = numpy.clip(numpy.rint(exact), -half, half - 1) + half

        model = bundle_pb2.Model()
        with open(os.path.join(bundle, "model.pb"), "rb") as file:
            model.ParseFromString(file.read())
        stage_scale = numpy.array([one.scale for one in model.inputs], dtype=numpy.float32)
        stage_offset = numpy.array([one.offset for one in model.inputs], dtype=numpy.float32)
        codes = numpy.clip(numpy.rint(x * stage_scale + stage_offset), 0, 2 * half - 1)

        different = codes != expected
        print(f"{name}: {codes.size - different.sum()} of {codes.size} codes as in double precision", file=sys.stderr)
        # float32 may decide otherwise only where the exact value lies at the edge of two codes.
        self.assertLessEqual(numpy.abs(codes - expected).max(), 1)
        from_edge = numpy.abs(exact - numpy.floor(exact) - 0.5)
        self.assertLess(from_edge[different].max(initial=0.0), 2e-4)
        self.assertLess(different.mean(), 2e-5)
        self.assertGreater(len(numpy.unique(codes)), half)  # the rows reach most codes

    def test_jsc_openml_comes_out_as_published(self):
        self.check("jsc_openml", 7872, 83)

    def test_wine_comes_out_as_published(self):
        self.check("wine", 4864, 64)

    @unittest.skipUnless(os.path.exists(os.path.join(PUBLISHED, "../wine.csv")), "wine.csv is not there")
    def test_wine_in_physical_units_is_classified_as_published(self):
        """53 of 54 test wines are published as right (98.15 %), and the others were trained on."""
        table = os.path.join(PUBLISHED, "../wine.csv")
        with open(table, encoding="utf-8") as file:
            features = file.readline().strip().split(",")[1:]
        folder = os.path.join(PUBLISHED, "wine")
        with tempfile.TemporaryDirectory() as work:
            bundle = os.path.join(work, "wine-1.0.0")
            self.run_program("kanc", "import", "torch", *glob.glob(os.path.join(folder, "*.pt")), "--config", os.path.join(folder, "config.json"),
                             "--features", ",".join(features), "--classes", "1,2,3", "--out", bundle)
            judged = json.loads(self.run_program("kanc", "evaluate", bundle, "--x", table, "--y", table, "--label", "class", "--json"))
        right = sum(judged["confusion"][k][k] for k in range(3))
        print(f"wine: {right} of {judged['events']} right", file=sys.stderr)
        self.assertEqual((178, 177), (judged["events"], right))

    def test_two_moons_comes_out_as_published(self):
        self.check("moons", 320, 6)


if __name__ == "__main__":
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
