"""The exporters on files and models of PyTorch itself, where Debian's python3-torch is installed."""
import collections
import importlib.util
import os
import sys
import tempfile
import unittest

import kan_reference

sys.path.insert(0, os.environ["KANTRIG_EXPORTERS"])
import export_pykan  # noqa: E402
import export_torch_kan  # noqa: E402
import torch_file  # noqa: E402


@unittest.skipUnless(importlib.util.find_spec("torch"), "python3-torch is not installed")
class TorchItself(unittest.TestCase):
    def setUp(self):
        import torch
        self.torch = torch
        torch.manual_seed(3)

    def efficient_kan(self):
        """A module with the parameters of an efficient-KAN model 2-3-1, and its forward pass."""
        torch = self.torch

        class Linear(torch.nn.Module):
            def __init__(self, inputs, nodes):
                super().__init__()
                self.base_weight = torch.nn.Parameter(torch.randn(nodes, inputs))
                self.spline_weight = torch.nn.Parameter(torch.randn(nodes, inputs, 8))
                self.spline_scaler = torch.nn.Parameter(torch.randn(nodes, inputs))
                self.register_buffer("grid", (torch.arange(-3, 9) * 0.4 - 1.0).expand(inputs, -1).contiguous())

            def forward(self, x):
                grid, at = self.grid, x.unsqueeze(-1)
                bases = ((at >= grid[:, :-1]) & (at < grid[:, 1:])).to(x.dtype)
                for k in range(1, 4):
                    bases = ((at - grid[:, :-(k + 1)]) / (grid[:, k:-1] - grid[:, :-(k + 1)]) * bases[:, :, :-1] +
                             (grid[:, k + 1:] - at) / (grid[:, k + 1:] - grid[:, 1:-k]) * bases[:, :, 1:])
                weight = self.spline_weight * self.spline_scaler.unsqueeze(-1)
                return torch.nn.functional.silu(x) @ self.base_weight.T + torch.einsum("nib,oib->no", bases, weight)

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.ModuleList([Linear(2, 3), Linear(3, 1)])

            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return x
        return Model()

    def check(self, model, exported):
        events = self.torch.rand(50, 2) * 2.0 - 1.0
        outputs = model(events).detach()[:, 0].tolist()
        for event, output in zip(events.tolist(), outputs):
            [value] = kan_reference.checkpoint_outputs(exported, event)
            self.assertAlmostEqual(output, value, places=4)

    def test_a_file_of_torch_save_is_read_without_torch(self):
        model = self.efficient_kan()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.pt")
            self.torch.save({"model_state_dict": model.state_dict(), "epoch": 3}, path)
            state = torch_file.read(path)["model_state_dict"]
            self.assertIsInstance(state["layers.0.grid"], torch_file.Tensor)
            self.check(model, export_torch_kan.export_state_dict(state))
            self.torch.save(self.torch.nn.Linear(2, 3), path)
            with self.assertRaisesRegex(torch_file.FileError, "more than tensors and plain containers"):
                torch_file.read(path)

    def test_a_live_model_is_exported_by_its_state_dict(self):
        model = self.efficient_kan()
        self.check(model, export_torch_kan.export_state_dict(model.state_dict(), {"base_activation": "nn.SiLU"}))

    def test_a_live_model_of_pykan_is_exported_by_its_parts(self):
        torch = self.torch

        class Part:
            funs_name = [["x^2", "0"]]

        class Model:
            width, k, base_fun_name, symbolic_enabled, symbolic_fun = [[2, 0], [1, 0]], 3, "silu", True, [Part()]
            input_id = torch.tensor([0, 4])

            def state_dict(self):
                return collections.OrderedDict({
                    "act_fun.0.grid": (torch.arange(-3, 9) * 0.4 - 1.0).expand(2, -1), "act_fun.0.coef": torch.ones(2, 1, 8),
                    "act_fun.0.scale_base": torch.zeros(2, 1), "act_fun.0.scale_sp": torch.full((2, 1), 3.0),
                    "act_fun.0.mask": torch.tensor([[0.0], [1.0]]), "symbolic_fun.0.mask": torch.tensor([[1.0, 0.0]]),
                    "symbolic_fun.0.affine": torch.tensor([[[2.0, 1.0, 0.5, 0.25], [0.0] * 4]])})
        exported = export_pykan.export_model(Model())
        self.assertEqual(["in0", "in4"], [one["name"] for one in exported["inputs"]])
        [value] = kan_reference.checkpoint_outputs(exported, [0.5, 0.3])
        self.assertAlmostEqual(0.5 * 2.0 * 2.0 + 0.25 + 3.0, value, places=5)  # splines of ones sum to 1


if __name__ == "__main__":
    unittest.main()
