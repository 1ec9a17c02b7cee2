"""ONNX's own checker and shape inference on what kanc exports, where Debian's python3-onnx is installed."""
import importlib.util
import json
import os
import subprocess
import tempfile
import unittest

KANC = os.path.join(os.environ["KANTRIG_BIN"], "kanc")
JETS = os.path.join(os.environ["KANTRIG_SOURCE"], "firmware/models/jets/jets-1.1.0")
FUNCTIONS = ("0", "x", "x^2", "exp", "log", "sin", "cos", "1/x", "sqrt", "1/sqrt(x)", "1/x^2", "x^3", "x^4", "abs", "tan", "tanh", "sigmoid",
             "gaussian", "arctan", "silu")


def every_kind_of_layer():
    """A checkpoint with each kind of edge, base, grid and formula."""
    inputs = [{"name": f"in{i}", "gain": 1.0, "shift": 0.0, "bits": 4 + i, "first": -1.0, "step": 0.1} for i in range(2)]
    count = len(FUNCTIONS)
    spline = {"kind": "EDGE_KIND_SPLINE", "grid_size": 2, "grid_low": -1.0, "grid_high": 1.0, "spline_order": 2}
    layers = [{**spline, "input_count": 2, "node_count": count, "base": "BASE_FUNCTION_GELU", "coefficients": [0.5] * (2 * 4 * count),
               "weights": [1.0] * (2 * count),
               "formulas": [{"input": 1, "node": k, "function": name, "inner_scale": 1.0, "outer_scale": 2.0} for k, name in enumerate(FUNCTIONS)]},
              {"kind": "EDGE_KIND_RELU", "input_count": count, "node_count": 2, "weights": [0.1] * (2 * count),
               "quantizers": [{"bits": 4, "threshold": 1.0}, {"bits": 5, "threshold": 2.0}]},
              {"kind": "EDGE_KIND_LINEAR", "input_count": 2, "node_count": 2, "weights": [1.0] * 4},
              {**spline, "input_count": 2, "node_count": 1, "base": "BASE_FUNCTION_SILU", "coefficients": [0.5] * 8, "weights": [1.0] * 2,
               "knots": [{"values": [-3, -2, -1, 0, 1, 2, 3.5]}, {"values": [-4, -2, -1, 0, 1, 2, 3]}]}]
    return {"format_version": 1, "name": "all", "inputs": inputs, "layers": layers}


@unittest.skipUnless(importlib.util.find_spec("onnx"), "python3-onnx is not installed")
class Checker(unittest.TestCase):
    def check(self, *arguments):
        import onnx
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            with open(os.path.join(folder, "all.json"), "w", encoding="utf-8") as file:
                json.dump(every_kind_of_layer(), file)
            words = [word.replace("ALL", os.path.join(folder, "all.json")) for word in arguments]
            done = subprocess.run([KANC, "export", "onnx", *words, "--out", path], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        self.assertEqual(("kanc", 13), (model.producer_name, model.opset_import[0].version))
        known = {value.name for value in [*inferred.graph.value_info, *inferred.graph.output]}
        self.assertEqual(set(), {name for node in model.graph.node for name in node.output} - known)
        return {value.name for value in model.graph.output}

    def test_a_bundle_as_lookups_is_valid(self):
        self.assertEqual({"codes", "outputs", "scores", "class"}, self.check(JETS))
        self.assertEqual({"outputs", "scores", "class"}, self.check(JETS, "--codes"))

    def test_a_checkpoint_with_every_kind_of_layer_and_formula_is_valid(self):
        self.assertEqual({"outputs"}, self.check("ALL"))


if __name__ == "__main__":
    unittest.main()
