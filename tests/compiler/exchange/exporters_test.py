"""The exporters for PyTorch and pykan on files written here, without torch: what they write against the model computed from its tensors."""
import collections
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import unittest
import zipfile

import kan_reference
import torch_writer
from torch_writer import Tensor, full

EXPORTERS = os.environ["KANTRIG_EXPORTERS"]
KANC = os.path.join(os.environ["KANTRIG_BIN"], "kanc")
QUANTIZER = "brevitas_module.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"
SEED = 20


class Exporters(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def tensor(self, *shape):
        return full(shape, lambda _: kan_reference.float32(self.random.uniform(-1.0, 1.0)))

    def run_exporter(self, script, *arguments):
        """Exit code, what was printed, and the checkpoint."""
        out = self.path("model.json")
        done = subprocess.run([sys.executable, "-B", os.path.join(EXPORTERS, script), *arguments, "--out", out], capture_output=True, text=True,
                              timeout=60, check=False)
        model = None
        if done.returncode == 0:
            with open(out, encoding="utf-8") as file:
                model = json.load(file)
        return done.returncode, done.stdout + done.stderr, model

    def kanc(self, *arguments):
        done = subprocess.run([KANC, *arguments], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def assertClose(self, expected, got):
        self.assertEqual(len(expected), len(got))
        for one, other in zip(expected, got):
            self.assertTrue(math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6), f"{one} is not {other}")


class Torch(Exporters):
    def grid(self, inputs, size, order, low=-2.0, high=2.0):
        step = (high - low) / size
        knots = [kan_reference.float32(kan_reference.float32(i * step) + low) for i in range(-order, size + order + 1)]
        return Tensor((inputs, len(knots)), knots * inputs)

    def kanele_state(self, widths=(3, 2, 2), size=5, order=3):
        state = collections.OrderedDict()
        state[f"input_layer.{QUANTIZER}"] = Tensor((), [1.5])
        for part in ("weight", "bias", "running_mean"):
            state[f"input_layer.pre_transforms.0.{part}"] = self.tensor(widths[0])
        state["input_layer.pre_transforms.0.running_var"] = full((widths[0],), lambda i: 0.5 + i)
        state["input_layer.pre_transforms.0.num_batches_tracked"] = Tensor((), [7], kind="LongStorage")
        state["input_layer.pre_transforms.1.bias"] = Tensor((1,), [-0.25])
        for l, (inputs, nodes) in enumerate(zip(widths, widths[1:])):
            state[f"layers.{l}.base_weight"] = self.tensor(nodes, inputs)
            state[f"layers.{l}.spline_weight"] = self.tensor(nodes, inputs, size + order)
            state[f"layers.{l}.spline_scaler"] = self.tensor(nodes, inputs)
            state[f"layers.{l}.spline_selector"] = full((nodes, inputs), lambda i: 0.0 if i == 1 else 1.0)
            state[f"layers.{l}.grid"] = self.grid(inputs, size, order)
            state[f"layers.{l}.output_quantizer.{QUANTIZER}"] = Tensor((), [2.0 - 0.5 * l])
        return state

    CONFIG = {"layers": [3, 2, 2], "layers_bitwidth": [4, 5, 6], "grid_size": 5, "spline_order": 3, "grid_range": [-2, 2],
              "base_activation": "nn.GELU"}

    def save_kanele(self, state, config=None):
        torch_writer.save({"epoch": 3, "model_state_dict": state, "val_accuracy": 0.5}, self.path("model.pt"))
        return self.path("model.pt"), self.write("config.json", json.dumps(config or self.CONFIG))

    def truth_tables(self, state):
        """As KANELE extracts them: every edge at every code, over the scale, rounded half to even, clamped."""
        scales = [1.5 / 8, 2.0 / 16, 1.5 / 32]
        bits, tables = self.CONFIG["layers_bitwidth"], {}
        for l in range(2):
            nodes, inputs, _ = state[f"layers.{l}.spline_weight"].shape
            half, top = 1 << (bits[l] - 1), 1 << (bits[l + 1] - 1)
            for i in range(inputs):
                for k in range(nodes):
                    edge = kan_reference.edge_of_state(state, l, i, k, 3, "gelu")
                    active = state[f"layers.{l}.spline_selector"].values[k * inputs + i] != 0.0
                    values = [max(-top, min(top - 1, round(edge(c * scales[l]) / scales[l + 1]))) for c in range(-half, half)]
                    tables[f"{l}_{i}_{k}"] = {"acive": int(active), "values_int": values if active else [0] * (2 * half)}
        return tables

    def test_a_kanele_model_becomes_the_tables_of_its_definition(self):
        state = self.kanele_state()
        checkpoint, config = self.save_kanele(state)
        tables = self.write("truth_tables.json", json.dumps(self.truth_tables(state)))
        code, text = self.kanc("import", "torch", checkpoint, "--config", config, "--out", self.path("tiny-2.1.0"), "--expect", tables,
                               "--classes", "a,b", "--checkpoint-out", self.path("tiny.kan"))
        self.assertEqual(0, code, text)
        self.assertIn("tables: 176 of 176 entries on 8 active edges equal", text)
        self.assertIn("wrote bundle tiny-2.1.0", text)
        code, text = self.kanc("inspect", self.path("tiny-2.1.0"))
        self.assertEqual(0, code, text)
        self.assertIn("classes   a b", text)
        # The same of the stored checkpoint; and one entry that differs is found.
        self.assertEqual(0, self.kanc("import", "checkpoint", self.path("tiny.kan"), "--expect", tables)[0])
        wrong = self.truth_tables(state)
        wrong["1_1_1"]["values_int"][9] += 1
        code, text = self.kanc("import", "checkpoint", self.path("tiny.kan"), "--expect", self.write("wrong.json", json.dumps(wrong)),
                               "--out", self.path("not-1.0.0"))
        self.assertEqual(1, code)
        self.assertIn("tables: 175 of 176 entries", text)
        self.assertIn("edge 1_1_1 entry 9", text)
        self.assertFalse(os.path.exists(self.path("not-1.0.0")))

    def test_an_import_that_cannot_be_is_refused_with_what_to_do(self):
        checkpoint, config = self.save_kanele(self.kanele_state())
        code, text = self.kanc("import", "torch", checkpoint, "--config", config)
        self.assertEqual(2, code)
        self.assertIn("give --out BUNDLE, --checkpoint-out FILE.kan or --expect TABLES", text)
        code, text = self.kanc("import", "checkpoint", self.path("nowhere.kan"), "--out", self.path("n-1.0.0"))
        self.assertEqual(3, code)
        self.assertIn("nowhere.kan: cannot open", text)
        code, text = self.kanc("import", "checkpoint", self.write("broken.json", '{"format_version": 1, "layers": [{}]}'), "--out", self.path("n-1.0.0"))
        self.assertEqual(3, code)
        self.assertIn("broken.json: layer 0: kind: is not known", text)
        code, text = self.kanc("import", "torch", checkpoint, "--config", config, "--classes", "only", "--out", self.path("n-1.0.0"))
        self.assertEqual(3, code)
        self.assertIn("1 names given (only), expected 2", text)
        self.assertEqual(0, self.kanc("import", "torch", checkpoint, "--config", config, "--out", self.path("n-1.0.0"))[0])
        code, text = self.kanc("import", "torch", checkpoint, "--config", config, "--out", self.path("n-1.0.0"))
        self.assertEqual(5, code, text)
        self.assertEqual(0, self.kanc("import", "torch", checkpoint, "--config", config, "--out", self.path("n-1.0.0"), "--replace")[0])

    def test_the_input_stage_is_standardisation_then_batch_normalisation_then_bias(self):
        state = self.kanele_state()
        torch_writer.save({"model_state_dict": state, "scaler_mean_": [1.0, 2.0, -1.0], "scaler_scale_": [0.5, 2.0, 4.0]}, self.path("model.pt"))
        code, text, model = self.run_exporter("export_torch_kan.py", self.path("model.pt"), "--config",
                                              self.write("config.json", json.dumps(self.CONFIG)), "--features", "pt,eta,phi")
        self.assertEqual(0, code, text)
        self.assertEqual(["pt", "eta", "phi"], [one["name"] for one in model["inputs"]])
        for i, one in enumerate(model["inputs"]):
            weight, bias, mean, variance = (kan_reference.float32(state[f"input_layer.pre_transforms.0.{part}"].values[i])
                                            for part in ("weight", "bias", "running_mean", "running_var"))
            for x in (-3.0, 0.0, 0.7, 12.0):
                standard = (x - [1.0, 2.0, -1.0][i]) / [0.5, 2.0, 4.0][i]
                expected = (standard - mean) / math.sqrt(variance + 1e-5) * weight + bias - 0.25
                self.assertAlmostEqual(expected, one["gain"] * x + one["shift"], places=12)
            self.assertEqual((4, -1.5, 0.1875), (one["bits"], one["first"], one["step"]))

    def test_an_efficient_kan_without_quantisers_keeps_its_uneven_grids(self):
        state = collections.OrderedDict()
        for l, (inputs, nodes) in enumerate(((2, 3), (3, 1))):
            state[f"layers.{l}.base_weight"] = self.tensor(nodes, inputs)
            state[f"layers.{l}.spline_weight"] = self.tensor(nodes, inputs, 6)
            rows = [sorted(kan_reference.float32(self.random.uniform(-2.0, 2.0)) for _ in range(9)) for _ in range(inputs)]
            state[f"layers.{l}.grid"] = Tensor((inputs, 9), [knot for row in rows for knot in row])
        torch_writer.save(state, self.path("efficient.pth"))
        code, text, model = self.run_exporter("export_torch_kan.py", self.path("efficient.pth"))
        self.assertEqual(0, code, text)
        self.assertIn("2-3-1, 9 active edges, knots of every input, not quantised", text)
        for _ in range(50):
            event = [self.random.uniform(-2.0, 2.0) for _ in range(2)]
            values = event
            for l, (inputs, nodes) in enumerate(((2, 3), (3, 1))):
                values = [sum(kan_reference.edge_of_state(state, l, i, k, 2, "silu")(values[i]) for i in range(inputs)) for k in range(nodes)]
            self.assertClose(values, kan_reference.checkpoint_outputs(model, event))
        code, text = self.kanc("import", "torch", self.path("efficient.pth"), "--out", self.path("e-1.0.0"))
        self.assertEqual(3, code)
        self.assertIn("the model is not quantised", text)
        self.assertIn("kanc quantize", text)
        self.assertEqual(0, self.kanc("import", "torch", self.path("efficient.pth"), "--checkpoint-out", self.path("e.kan"))[0])

    def test_tensors_are_read_through_offset_and_stride(self):
        sys.path.insert(0, EXPORTERS)
        import torch_file
        torch_writer.save({"a": Tensor((2, 3), range(10), stride=(1, 2), offset=1), "b": Tensor((2,), [5, -6], kind="LongStorage")}, self.path("t.pt"))
        root = torch_file.read(self.path("t.pt"))
        self.assertEqual([1.0, 3.0, 5.0, 2.0, 4.0, 6.0], root["a"].values)
        self.assertEqual([5, -6], root["b"].values)
        torch_writer.save({"a": Tensor((4,), range(3))}, self.path("t.pt"))
        with self.assertRaisesRegex(torch_file.FileError, "reaches to value 3 of a storage of 3"):
            torch_file.read(self.path("t.pt"))["a"].item()

    def refused(self, state, config=None):
        code, text, _ = self.run_exporter("export_torch_kan.py", *self.save_kanele(state, config)[:1], "--config", self.path("config.json"))
        self.assertEqual(3, code, text)
        return text

    def test_what_has_no_counterpart_is_named(self):
        state = self.kanele_state()
        state["layers.0.dropout.rate"] = Tensor((), [0.1])
        self.assertIn("layers.0.dropout.rate: has no counterpart", self.refused(state))
        state = self.kanele_state()
        state["input_layer.pre_transforms.1.weight"] = Tensor((1,), [2.0])
        self.assertIn("input_layer.pre_transforms.1.bias: is no batch normalisation", self.refused(state))
        state = self.kanele_state()
        state["layers.1.base_weight"] = self.tensor(2, 3)
        self.assertIn("layers.1.base_weight: has shape [2, 3], expected [2, 2]", self.refused(state))
        state = self.kanele_state()
        state["layers.1.spline_scaler"].values[0] = math.inf
        self.assertIn("layers.1.spline_scaler: holds values that are not finite", self.refused(state))
        self.assertIn("base_activation: is nn.Mish", self.refused(self.kanele_state(), {**self.CONFIG, "base_activation": "nn.Mish"}))
        self.assertIn("layers_bitwidth: is [4, 5]", self.refused(self.kanele_state(), {**self.CONFIG, "layers_bitwidth": [4, 5]}))
        self.assertIn("spline_order: is 4 in the configuration, but 3 by the shapes", self.refused(self.kanele_state(), {**self.CONFIG, "spline_order": 4}))
        self.assertIn("layers: is [3, 9] in the configuration", self.refused(self.kanele_state(), {**self.CONFIG, "layers": [3, 9]}))

    def test_code_in_a_file_is_refused_by_name_and_not_run(self):
        class Harm:
            def __reduce__(self):
                return os.mkdir, (harm,)
        harm = self.path("harm")
        torch_writer.save({"model_state_dict": self.kanele_state(), "more": Harm()}, self.path("model.pt"))
        code, text, _ = self.run_exporter("export_torch_kan.py", self.path("model.pt"))
        self.assertEqual(3, code)
        self.assertIn("needs posix.mkdir, which is more than tensors", text)
        self.assertFalse(os.path.exists(harm))

    def test_a_damaged_file_is_refused_or_read_and_never_more(self):
        """Bytes changed, cut out and put in at random: an error that names the file, at once, and no other exception."""
        sys.path.insert(0, EXPORTERS)
        import export_torch_kan
        import torch_file
        checkpoint, _ = self.save_kanele(self.kanele_state())
        with zipfile.ZipFile(checkpoint) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        read = refused = 0
        for _ in range(300):
            damaged = dict(entries)
            name = "archive/data.pkl" if self.random.random() < 0.8 else self.random.choice(sorted(entries))
            text = bytearray(entries[name])
            for _ in range(self.random.choice((1, 1, 3))):
                place = self.random.randrange(len(text) + 1)
                text[place:place + self.random.randrange(3)] = self.random.randbytes(self.random.randrange(3))
            damaged[name] = bytes(text)
            with zipfile.ZipFile(self.path("damaged.pt"), "w") as archive:
                for entry, content in damaged.items():
                    archive.writestr(entry, content)
            try:
                state, _ = export_torch_kan.state_of(torch_file.read(self.path("damaged.pt")))
                export_torch_kan.export_state_dict(state, self.CONFIG)
                read += 1
            except torch_file.FileError:
                refused += 1
        self.assertGreater(read, 10)
        self.assertGreater(refused, 100)

    def test_other_files_are_refused_with_what_was_expected(self):
        def error(path):
            code, text, _ = self.run_exporter("export_torch_kan.py", path)
            self.assertEqual(3, code, text)
            self.assertNotIn("Traceback", text)
            return text
        self.assertIn("No such file", error(self.path("nowhere.pt")))
        self.assertIn("is no zip file", error(self.write("text.pt", "hello")))
        with zipfile.ZipFile(self.path("other.pt"), "w") as archive:
            archive.writestr("readme", "")
        self.assertIn("holds no data.pkl", error(self.path("other.pt")))
        with zipfile.ZipFile(self.path("short.pt"), "w") as archive:
            archive.writestr("a/data.pkl", b"\x80\x02}q\x00(X\x05\x00")
        self.assertIn("is garbled", error(self.path("short.pt")))
        for name, text, expected in (("place.pt", b"\x80\x02}r\xff\xff\xff\x7f.", "place 2147483647 for object 2"),
                                     ("bytes.pt", b"\x80\x03B\x01\x00\x00\x00a.", "has the pickle operation BINBYTES")):
            with zipfile.ZipFile(self.path(name), "w") as archive:
                archive.writestr("a/data.pkl", text)
            self.assertIn(expected, error(self.path(name)))
        with zipfile.ZipFile(self.path("number.pt"), "w") as archive:
            archive.writestr("a/data.pkl", b"K\x05.")
        self.assertIn("holds a int, expected a state dict", error(self.path("number.pt")))


class Pykan(Exporters):
    """A model 2-2-1 with grids of its inputs' own, a pruned edge, two symbolic ones and affine maps of the nodes."""

    def setUp(self):
        super().setUp()
        self.size, self.order = 4, 3
        self.state = collections.OrderedDict()
        for l, (inputs, nodes) in enumerate(((2, 2), (2, 1))):
            for part, count in (("node_bias", nodes), ("node_scale", nodes), ("subnode_bias", nodes), ("subnode_scale", nodes)):
                self.state[f"{part}_{l}"] = self.tensor(count)
            rows = [sorted(kan_reference.float32(self.random.uniform(-2.0, 2.0)) for _ in range(self.size + 2 * self.order + 1)) for _ in range(inputs)]
            self.state[f"act_fun.{l}.grid"] = Tensor((inputs, len(rows[0])), [knot for row in rows for knot in row])
            self.state[f"act_fun.{l}.coef"] = self.tensor(inputs, nodes, self.size + self.order)
            self.state[f"act_fun.{l}.scale_base"] = self.tensor(inputs, nodes)
            self.state[f"act_fun.{l}.scale_sp"] = self.tensor(inputs, nodes)
            self.state[f"act_fun.{l}.mask"] = full((inputs, nodes), 1.0)
            self.state[f"symbolic_fun.{l}.mask"] = full((nodes, inputs), 0.0)
            self.state[f"symbolic_fun.{l}.affine"] = self.tensor(nodes, inputs, 4)
        self.names = [[["0", "0"], ["0", "0"]], [["0", "0"]]]
        self.state["act_fun.0.mask"].values[1] = 0.0  # edge (0, 1) of layer 0: pruned
        self.make_symbolic(0, 1, 0, "sin")
        self.make_symbolic(1, 1, 0, "x^0.5")

    def make_symbolic(self, l, i, j, name):
        nodes = self.state[f"act_fun.{l}.mask"].shape[1]
        inputs = self.state[f"act_fun.{l}.mask"].shape[0]
        self.state[f"act_fun.{l}.mask"].values[i * nodes + j] = 0.0
        self.state[f"symbolic_fun.{l}.mask"].values[j * inputs + i] = 1.0
        self.names[l][j][i] = name

    def config(self, width="- - 2\n  - 0\n- - 2\n  - 0\n- - 1\n  - 0\n", base="silu"):
        rows = "".join("".join(f"{'- ' if i == 0 else '  '}- {name!r}\n" for i, name in enumerate(row)) for row in self.names[0])
        last = "".join(f"{'- ' if i == 0 else '  '}- {name!r}\n" for i, name in enumerate(self.names[1][0]))
        return (f"affine_trainable: false\nauto_save: true\nbase_fun_name: {base}\nckpt_path: ./model\ndevice: cpu\ngrid: 4\ngrid_eps: 0.02\n"
                f"grid_range:\n- -1\n- 1\nk: 3\nmult_arity: 2\nround: 0\nsb_trainable: true\nsp_trainable: true\nstate_id: 3\n"
                f"symbolic.funs_name.0:\n{rows}symbolic.funs_name.1:\n{last}symbolic_enabled: true\nwidth:\n{width}")

    def save(self, **options):
        torch_writer.save(self.state, self.path("0.3_state"))
        self.write("0.3_config.yml", self.config(**options))
        return self.path("0.3")

    def outputs(self, event):
        """pykan's forward pass, as it is written there: numeric and symbolic part of every edge, then both affine maps."""
        def at(key, *place):
            tensor, where = self.state[key], 0
            for extent, index in zip(tensor.shape, place):
                where = where * extent + index
            return kan_reference.float32(tensor.values[where])
        values = event
        for l, (inputs, nodes) in enumerate(((2, 2), (2, 1))):
            after = []
            for j in range(nodes):
                total = 0.0
                for i in range(inputs):
                    knots = [at(f"act_fun.{l}.grid", i, n) for n in range(self.size + 2 * self.order + 1)]
                    spline = sum(at(f"act_fun.{l}.coef", i, j, b) * one for b, one in enumerate(kan_reference.splines(values[i], knots, self.order)))
                    numeric = at(f"act_fun.{l}.scale_base", i, j) * kan_reference.BASES["silu"](values[i]) + at(f"act_fun.{l}.scale_sp", i, j) * spline
                    a, b, c, d = (at(f"symbolic_fun.{l}.affine", j, i, n) for n in range(4))
                    function = {"0": lambda x: 0.0, "sin": math.sin, "x^0.5": lambda x: math.sqrt(abs(x))}[self.names[l][j][i]]
                    total += at(f"act_fun.{l}.mask", i, j) * numeric + at(f"symbolic_fun.{l}.mask", j, i) * (c * function(a * values[i] + b) + d)
                sub = at(f"subnode_scale_{l}", j) * total + at(f"subnode_bias_{l}", j)
                after.append(at(f"node_scale_{l}", j) * sub + at(f"node_bias_{l}", j))
            values = after
        return values

    def test_a_saved_model_evaluates_as_pykan_does(self):
        code, text, model = self.run_exporter("export_pykan.py", self.save(), "--features", "m,pt")
        self.assertEqual(0, code, text)
        self.assertIn("2-2-1, 5 active edges, 2 of them formulas, knots of every input, not quantised", text)
        self.assertEqual(["sin", "sqrt"], [layer["formulas"][0]["function"] for layer in model["layers"]])
        for _ in range(100):
            event = [self.random.uniform(-2.0, 2.0) for _ in range(2)]
            self.assertClose(self.outputs(event), kan_reference.checkpoint_outputs(model, event))
        # By its folder, and through kanc.
        code, text = self.kanc("import", "pykan", self.folder, "--checkpoint-out", self.path("model.kan"))
        self.assertEqual(0, code, text)
        self.assertTrue(os.path.exists(self.path("model.kan")))

    def refused(self, **options):
        code, text, _ = self.run_exporter("export_pykan.py", self.save(**options))
        self.assertEqual(3, code, text)
        self.assertNotIn("Traceback", text)
        return text

    def test_what_has_no_counterpart_is_named(self):
        self.assertIn("width: layer 1 has 1 multiplication nodes", self.refused(width="- - 2\n  - 0\n- - 1\n  - 1\n- - 1\n  - 0\n"))
        self.assertIn("base_fun_name: is 'identity'", self.refused(base="identity"))
        self.assertIn("'!!python/name:torch.sin': expected plain values only", self.refused(base="!!python/name:torch.sin"))
        self.names[0][0][1] = "arctanh"
        self.assertIn("symbolic.funs_name.0: edge (1, 0) is 'arctanh', which has no counterpart", self.refused())
        self.names[0][0][1] = "sin"
        self.state["act_fun.0.mask"].values[2] = 1.0
        self.assertIn("act_fun.0.mask: edge (1, 0) is numeric and symbolic at once", self.refused())
        self.state["act_fun.0.mask"].values[2] = 0.0
        self.state["biases.0.weight"] = self.tensor(2)
        self.assertIn("biases.0.weight: has no counterpart", self.refused())
        del self.state["biases.0.weight"]
        self.state["act_fun.1.scale_base"] = self.tensor(2)
        self.assertIn("act_fun.1.scale_base: has shape [2], as before pykan 0.2", self.refused())

    def test_a_path_without_a_model_is_refused_with_what_was_expected(self):
        code, text, _ = self.run_exporter("export_pykan.py", self.path("nowhere"))
        self.assertEqual(3, code)
        self.assertIn("nowhere_config.yml: No such file or directory; expected what model.saveckpt(", text)
        code, text, _ = self.run_exporter("export_pykan.py", self.folder)
        self.assertIn("holds 0 models (*_config.yml), expected one", text)


if __name__ == "__main__":
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
