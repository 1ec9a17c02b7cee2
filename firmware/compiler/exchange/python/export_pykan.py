#!/usr/bin/env python3
"""Exports a pykan model (0.2 or newer) to a checkpoint for `kanc import checkpoint`: splines, base functions, masks and symbolic edges.

Reads what model.saveckpt("model") writes, model_config.yml and model_state; needs neither torch nor any other package, and runs no code
out of the files. Inside a PyTorch program of one's own:

    sys.path.append("/usr/share/kantrig/exporters")
    from export_pykan import export_model
    json.dump(export_model(model), open("model.json", "w"))
"""
import argparse
import glob
import os
import re
import sys

import plain_yaml
import torch_file
from checkpoint_json import ExportError, describe_grid, matrix, names, summary, write
from torch_file import FileError

CONFIG_BYTES_MAX = 64 << 20
LAYER_KEY = re.compile(r"(act_fun|symbolic_fun)\.(\d+)\.(grid|coef|scale_base|scale_sp|mask|affine)$")
NODE_KEY = re.compile(r"((?:sub)?node_(?:bias|scale))_(\d+)$")
# What pykan calls the functions that a checkpoint knows (firmware/compiler/learned/formula.cpp).
FUNCTIONS = {name: name for name in ("0", "x", "x^2", "x^3", "x^4", "1/x", "1/x^2", "sqrt", "1/sqrt(x)", "exp", "log", "abs", "sin", "cos",
                                     "tan", "tanh", "sigmoid", "gaussian", "arctan", "silu")}
FUNCTIONS |= {"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"}


def sort_keys(state, depth):
    """[layer][part]: (key, tensor). Every key that is none of pykan's is an error."""
    layers = [{} for _ in range(depth)]
    for key, value in state.items():
        if not isinstance(key, str):
            raise ExportError(f"{key!r:.60}: expected the name of a tensor")
        match = LAYER_KEY.match(key)
        node = NODE_KEY.match(key)
        if not match and not node:
            raise ExportError(f"{key}: has no counterpart in a checkpoint; expected the parameters of pykan's MultKAN, version 0.2 or newer")
        number, part = (int(match[2]), f"{match[1]}.{match[3]}") if match else (int(node[2]), node[1])
        if number >= depth:
            raise ExportError(f"{key}: is of layer {number}, but width tells of {depth} layers")
        try:
            layers[number][part] = (key, torch_file.plain(value))
        except FileError as error:
            raise ExportError(f"{key}: {error}") from None
    return layers


def widths_of(config):
    """Nodes by layer, the inputs first; multiplication nodes are refused."""
    width = config.get("width")
    if not isinstance(width, list) or len(width) < 2:
        raise ExportError(f"width: is {width}, expected the number of nodes of at least two layers")
    counts = []
    for number, entry in enumerate(width):
        sums, products = entry if isinstance(entry, list) and len(entry) == 2 else (entry, 0)
        if not isinstance(sums, int) or not isinstance(products, int) or sums < 0 or products < 0:
            raise ExportError(f"width: entry {number} is {entry}, expected a number of nodes")
        if products > 0:
            raise ExportError(f"width: layer {number} has {products} multiplication nodes; a checkpoint's nodes are sums of edges, so there is no counterpart")
        counts.append(sums)
    return counts


class Layer:
    """One layer of pykan: an edge is mask (scale_base base(x) + scale_sp spline(x)) + symbolic mask c f(a x + b) + d, and a node's sum
    passes two affine maps, which are folded into the edges here."""

    def __init__(self, parts, number, inputs, nodes, config):
        self.parts, self.number, self.inputs, self.nodes, self.config = parts, number, inputs, nodes, config

    def tensor(self, part):
        if part not in self.parts:
            raise ExportError(f"{part.replace('.', f'.{self.number}.')}: is not there")
        return self.parts[part]

    def values(self, part, shape):
        key, tensor = self.tensor(part)
        if part == "act_fun.scale_base" and len(tensor.shape) == 1:
            raise ExportError(f"{key}: has shape {list(tensor.shape)}, as before pykan 0.2; load the model there and save it with a newer one")
        return matrix(tensor, key, shape)

    def of_nodes(self, part, default):
        return self.values(part, (self.nodes,)) if part in self.parts else [default] * self.nodes

    def function(self, i, j):
        """The checkpoint's name of the symbolic function from input i to node j."""
        key = f"symbolic.funs_name.{self.number}"
        table = self.config.get(key)
        if not isinstance(table, list) or len(table) != self.nodes or not all(isinstance(row, list) and len(row) == self.inputs for row in table):
            raise ExportError(f"{key}: expected {self.nodes} rows of {self.inputs} names")
        name = str(table[j][i])
        if name not in FUNCTIONS:
            raise ExportError(f"{key}: edge ({i}, {j}) is '{name}', which has no counterpart; known are {', '.join(FUNCTIONS)}")
        return FUNCTIONS[name]

    def grid(self):
        key, tensor = self.tensor("act_fun.grid")
        _, coefficients = self.tensor("act_fun.coef")
        basis = coefficients.shape[-1] if coefficients.shape else 0
        knots = tensor.shape[-1] if tensor.shape else 0
        order = knots - 1 - basis
        if order < 1 or basis - order < 1:
            raise ExportError(f"{key}: {knots} knots for {basis} basis functions, expected grid + 2k + 1 for grid + k, with k of 1 or more")
        if self.config.get("k", order) != order:
            raise ExportError(f"k: is {self.config['k']}, but {order} by the shapes of {key}")
        values = self.values("act_fun.grid", (self.inputs, knots))
        rows = [values[i * knots:(i + 1) * knots] for i in range(self.inputs)]
        return describe_grid(key, rows, basis - order, order), basis

    def base(self, scales):
        name = self.config.get("base_fun_name", "silu")
        if name == "silu":
            return "BASE_FUNCTION_SILU"
        if name == "zero" or not any(scales):
            return "BASE_FUNCTION_NONE"
        raise ExportError(f"base_fun_name: is '{name}', expected silu or zero")

    def export(self):
        shape = (self.inputs, self.nodes)
        described, basis = self.grid()
        coefficients = self.values("act_fun.coef", (*shape, basis))
        bases, splines, masks = (self.values(f"act_fun.{part}", shape) for part in ("scale_base", "scale_sp", "mask"))
        symbolic, affine = [0.0] * (self.nodes * self.inputs), None
        if self.config.get("symbolic_enabled", True) and "symbolic_fun.mask" in self.parts:
            symbolic = self.values("symbolic_fun.mask", (self.nodes, self.inputs))
            affine = self.values("symbolic_fun.affine", (self.nodes, self.inputs, 4))
        inner, outer = self.of_nodes("subnode_scale", 1.0), self.of_nodes("node_scale", 1.0)
        factors = [a * b for a, b in zip(inner, outer)]
        biases = [scale * sub + bias for scale, sub, bias in zip(outer, self.of_nodes("subnode_bias", 0.0), self.of_nodes("node_bias", 0.0))]
        edges, formulas = [], []  # factor of the numeric part of every edge, [input][node]
        for i in range(self.inputs):
            for j in range(self.nodes):
                mask = masks[i * self.nodes + j]
                weight = symbolic[j * self.inputs + i]
                edges.append(mask * factors[j])
                if weight == 0.0:
                    continue
                if mask != 0.0:
                    raise ExportError(f"act_fun.{self.number}.mask: edge ({i}, {j}) is numeric and symbolic at once (mode 'ns'), and has no "
                                      "counterpart; make it one of both with fix_symbolic() or unfix_symbolic()")
                a, b, c, d = affine[(j * self.inputs + i) * 4:(j * self.inputs + i) * 4 + 4]
                formulas.append({"input": i, "node": j, "function": self.function(i, j), "inner_scale": a, "inner_offset": b,
                                 "outer_scale": weight * factors[j] * c, "outer_offset": weight * factors[j] * d})
        symbols = {(one["input"], one["node"]) for one in formulas}
        count = range(self.nodes)
        layer = {"kind": "EDGE_KIND_SPLINE", "input_count": self.inputs, "node_count": self.nodes, **described,
                 "base": self.base([mask * scale for mask, scale in zip(masks, bases)]),
                 "coefficients": [edges[i * self.nodes + j] * splines[i * self.nodes + j] * coefficients[(i * self.nodes + j) * basis + b]
                                  for i in range(self.inputs) for b in range(basis) for j in count],
                 "weights": [edge * scale for edge, scale in zip(edges, bases)],
                 "biases": biases,
                 "active": [masks[i * self.nodes + j] != 0.0 or (i, j) in symbols for i in range(self.inputs) for j in count]}
        if formulas:
            layer["formulas"] = formulas
        return layer


def export_state(state, config, **options):
    """The checkpoint of a state dict and of what saveckpt() writes to the configuration, as a dict for json.dump().

    options: name, features and classes ("a,b,c").
    """
    widths = widths_of(config)
    layers = sort_keys(state, len(widths) - 1)
    exported = [Layer(parts, number, widths[number], widths[number + 1], config).export() for number, parts in enumerate(layers)]
    inputs = [{"name": name, "gain": 1.0, "shift": 0.0, "bits": 0, "first": 0.0, "step": 1.0}
              for name in names(options.get("features"), widths[0], "in")]
    outputs = widths[-1]
    classes = [] if options.get("classes") is None else names(options["classes"], 2 if outputs == 1 else outputs, "c")
    return {"format_version": 1, "name": options.get("name") or "model", "classes": classes, "inputs": inputs, "layers": exported}


def export_model(model, **options):
    """The same of a live pykan model. Of inputs that were pruned away only those left are exported, named after their old places."""
    config = {"width": model.width, "k": model.k, "base_fun_name": model.base_fun_name, "symbolic_enabled": model.symbolic_enabled}
    for number, layer in enumerate(model.symbolic_fun):
        config[f"symbolic.funs_name.{number}"] = layer.funs_name
    places = getattr(model, "input_id", None)
    if places is not None and "features" not in options:
        options["features"] = ",".join(f"in{int(place)}" for place in places)
    return export_state(model.state_dict(), config, **options)


def read_saved(path):
    """Configuration and state dict of model.saveckpt(path); a folder that holds one such model will do."""
    if os.path.isdir(path):
        found = sorted(glob.glob(os.path.join(glob.escape(path), "*_config.yml")))
        if len(found) != 1:
            raise FileError(f"{path}: holds {len(found)} models (*_config.yml), expected one; name one by its path without _config.yml")
        path = found[0].removesuffix("_config.yml")
    config_path = f"{path}_config.yml"
    try:
        if os.path.getsize(config_path) > CONFIG_BYTES_MAX:
            raise FileError(f"has more than {CONFIG_BYTES_MAX} bytes")
        with open(config_path, encoding="utf-8") as file:
            text = file.read()
        config = plain_yaml.parse(text)
    except FileError as error:
        raise FileError(f"{config_path}: {error}") from None
    except OSError as error:
        raise FileError(f"{config_path}: {error.strerror}; expected what model.saveckpt('{path}') writes") from None
    except UnicodeDecodeError as error:
        raise FileError(f"{config_path}: {error}") from None
    state = torch_file.read(f"{path}_state")
    if not isinstance(state, dict):
        raise FileError(f"{path}_state: holds a {type(state).__name__}, expected a state dict")
    return config, state


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example, after model.saveckpt('model') in Python:\n  export_pykan.py model --out model.json\n"
                                            "  kanc import checkpoint model.json --checkpoint-out model.kan\n\nexit: 0 written, 2 wrong command line, 3 wrong input")
    parser.add_argument("model", help="path given to saveckpt(), or the folder that holds the model")
    parser.add_argument("--name", help="name of the model (default: model)")
    parser.add_argument("--features", metavar="A,B,...", help="names of the inputs (default: in0,in1,...)")
    parser.add_argument("--classes", metavar="A,B,...", help="names of the classes (default: none)")
    parser.add_argument("--out", required=True, metavar="MODEL.json", help="checkpoint to write")
    arguments = parser.parse_args()
    try:
        config, state = read_saved(arguments.model)
        model = export_state(state, config, name=arguments.name, features=arguments.features, classes=arguments.classes)
        write(model, arguments.out)
    except FileError as error:
        return torch_file.fail(error)
    print(f"exported {arguments.model}: {summary(model)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
