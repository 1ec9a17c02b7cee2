#!/usr/bin/env python3
"""Exports a KAN trained with PyTorch to a checkpoint for `kanc import checkpoint`: models of efficient-KAN, and of KANELE with its quantisers.

Needs neither torch nor any other package, and runs no code out of the file. Inside a PyTorch program of one's own:

    sys.path.append("/usr/share/kantrig/exporters")
    from export_torch_kan import export_state_dict
    json.dump(export_state_dict(model.state_dict(), {"base_activation": "nn.SiLU"}), open("model.json", "w"))
"""
import argparse
import json
import math
import re
import sys

import torch_file
from checkpoint_json import ExportError, describe_grid, matrix, names, summary, write
from torch_file import FileError

BATCH_NORM_EPSILON = 1e-5  # PyTorch's default
BASES = {"silu": "BASE_FUNCTION_SILU", "gelu": "BASE_FUNCTION_GELU", "none": "BASE_FUNCTION_NONE"}
INPUT_QUANTIZER = re.compile(r"input_layer\..*\.scaling_impl\.value$")
LAYER_KEY = re.compile(r"layers\.(\d+)\.(base_weight|spline_weight|spline_scaler|spline_selector|grid|output_quantizer\..*\.scaling_impl\.value)$")
PRE_TRANSFORM = re.compile(r"input_layer\.pre_transforms\.(\d+)\.(weight|bias|running_mean|running_var|num_batches_tracked)$")


def state_of(root):
    """The state dict inside what torch.save() was given, and what lies beside it."""
    if not isinstance(root, dict):
        raise ExportError(f"holds a {type(root).__name__}, expected a state dict or a dict with one")
    for key in ("model_state_dict", "state_dict", "model"):
        if isinstance(root.get(key), dict):
            return root[key], root
    return root, {}


def sort_keys(state):
    """The tensors by what they are. Every key that is none of ours is an error: a model is imported whole or not at all."""
    layers, transforms, threshold = {}, {}, None
    for key, value in state.items():
        if not isinstance(key, str):
            raise ExportError(f"{key!r:.60}: expected the name of a tensor")
        try:
            tensor = torch_file.plain(value)
        except FileError as error:
            raise ExportError(f"{key}: {error}") from None
        if match := LAYER_KEY.match(key):
            part = "quantizer" if match[2].startswith("output_quantizer") else match[2]
            layers.setdefault(int(match[1]), {})[part] = (key, tensor)
        elif match := PRE_TRANSFORM.match(key):
            transforms.setdefault(int(match[1]), {})[match[2]] = (key, tensor)
        elif INPUT_QUANTIZER.match(key):
            threshold = (key, tensor)
        else:
            raise ExportError(f"{key}: has no counterpart in a checkpoint; known are layers.<n>.base_weight, spline_weight, spline_scaler, "
                              "spline_selector, grid, output_quantizer, and input_layer.pre_transforms with a quantiser")
    if sorted(layers) != list(range(len(layers))) or not layers:
        raise ExportError(f"has the layers {sorted(layers)}, expected layers.0, layers.1, ...")
    return [layers[number] for number in range(len(layers))], [transforms[number] for number in sorted(transforms)], threshold


def bits_of(config, number, key):
    """The code width of what config.json calls layer `number`: 0 is the input."""
    widths = config.get("layers_bitwidth")
    if widths is None:
        raise ExportError(f"{key}: the code widths of quantisers are not in the file; give KANELE's config.json (--config), with layers_bitwidth")
    if not isinstance(widths, list) or number >= len(widths) or not isinstance(widths[number], int) or not 1 <= widths[number] <= 12:
        raise ExportError(f"layers_bitwidth: is {widths}, expected 1 to 12 bits for the inputs and for each layer")
    return widths[number]


def threshold_of(key, tensor):
    value = abs(float(tensor.item()))
    if not (value > 0.0 and math.isfinite(value)):
        raise ExportError(f"{key}: is {value}, expected a learned scale above 0")
    return value


def affine_of_inputs(transforms, count, scaler):
    """gain and shift of every input: a standardisation where there is one, then the transforms in their order."""
    gains, shifts = [1.0] * count, [0.0] * count
    if scaler is not None:
        means, scales = scaler
        if len(means) != count or len(scales) != count or not all(scale > 0.0 for scale in scales):
            raise ExportError(f"scaler: {len(means)} means and {len(scales)} scales, expected {count} of each, the scales above 0")
        gains = [1.0 / scale for scale in scales]
        shifts = [-mean / scale for mean, scale in zip(means, scales)]
    for parts in transforms:
        values = {part: matrix(tensor, key, tensor.shape) for part, (key, tensor) in parts.items()}
        wrong = [key for part, (key, tensor) in parts.items() if part != "num_batches_tracked" and len(tensor.values) not in (1, count)]
        if wrong:
            raise ExportError(f"{wrong[0]}: expected one value, or one for each of the {count} inputs")
        spread = {part: one * count if len(one) == 1 else one for part, one in values.items()}
        if "running_mean" in spread and "running_var" in spread:  # batch normalisation, as it evaluates
            if min(spread["running_var"]) < 0.0:
                raise ExportError(f"{parts['running_var'][0]}: holds a variance below 0")
            weight, bias = spread.get("weight", [1.0] * count), spread.get("bias", [0.0] * count)
            for i in range(count):
                factor = weight[i] / math.sqrt(spread["running_var"][i] + BATCH_NORM_EPSILON)
                gains[i], shifts[i] = gains[i] * factor, (shifts[i] - spread["running_mean"][i]) * factor + bias[i]
        elif set(spread) == {"bias"}:
            shifts = [shift + bias for shift, bias in zip(shifts, spread["bias"])]
        else:
            raise ExportError(f"{sorted(key for key, _ in parts.values())[0]}: is no batch normalisation and no shared bias, and has no counterpart")
    return gains, shifts


def export_inputs(transforms, threshold, config, count, options):
    gains, shifts = affine_of_inputs(transforms, count, options.get("scaler"))
    inputs = []
    for name, gain, shift in zip(names(options.get("features"), count, "in"), gains, shifts):
        one = {"name": name, "gain": gain, "shift": shift, "bits": 0, "first": 0.0, "step": 1.0}
        if threshold is not None:
            one["bits"] = bits_of(config, 0, threshold[0])
            half = 1 << (one["bits"] - 1)
            one["step"] = threshold_of(*threshold) / half
            one["first"] = -half * one["step"]
        inputs.append(one)
    return inputs


def grid_of(parts, number, inputs, basis, config):
    """The grid's description, from the buffer where it is saved, else from the configuration."""
    key, tensor = parts.get("grid", (f"layers.{number}.grid", None))
    if tensor is None:
        missing = [name for name in ("grid_size", "spline_order", "grid_range") if name not in config]
        if missing:
            raise ExportError(f"{key}: is not in the file, and {missing[0]} not in a configuration (--config)")
        size, order, (low, high) = config["grid_size"], config["spline_order"], config["grid_range"]
        if size + order != basis:
            raise ExportError(f"layers.{number}.spline_weight: has {basis} basis functions, expected grid_size + spline_order = {size + order}")
        return {"grid_size": size, "spline_order": order, "grid_low": low, "grid_high": high}
    order = tensor.shape[-1] - 1 - basis if len(tensor.shape) == 2 else 0
    size = basis - order
    if order < 1 or size < 1:
        raise ExportError(f"{key}: has shape {list(tensor.shape)} for {basis} basis functions, expected grid size + 2 order + 1 knots an input, order 1 or more")
    for name, found in (("grid_size", size), ("spline_order", order)):
        if config.get(name, found) != found:
            raise ExportError(f"{name}: is {config[name]} in the configuration, but {found} by the shapes of {key}")
    values = matrix(tensor, key, (inputs, tensor.shape[1]))
    return describe_grid(key, [values[i * tensor.shape[1]:(i + 1) * tensor.shape[1]] for i in range(inputs)], size, order)


def export_layer(parts, number, config, base):
    if "spline_weight" not in parts:
        raise ExportError(f"layers.{number}.spline_weight: is not there")
    key, tensor = parts["spline_weight"]
    if len(tensor.shape) != 3:
        raise ExportError(f"{key}: has shape {list(tensor.shape)}, expected [outputs, inputs, basis functions]")
    nodes, inputs, basis = tensor.shape
    splines = matrix(tensor, key, tensor.shape)

    def by_edge(part, value):
        """[output][input] of a part; `value` where the model has none."""
        return matrix(parts[part][1], parts[part][0], (nodes, inputs)) if part in parts else [value] * (nodes * inputs)

    scalers, selectors, weights = by_edge("spline_scaler", 1.0), by_edge("spline_selector", 1.0), by_edge("base_weight", 0.0)
    factor = [scaler * selector for scaler, selector in zip(scalers, selectors)]
    edge = [[k * inputs + j for k in range(nodes)] for j in range(inputs)]  # [input][node]: where the file has it
    layer = {"kind": "EDGE_KIND_SPLINE", "input_count": inputs, "node_count": nodes, **grid_of(parts, number, inputs, basis, config),
             "base": BASES[base if "base_weight" in parts else "none"],
             "coefficients": [factor[e] * splines[e * basis + b] for j in range(inputs) for b in range(basis) for e in edge[j]],
             "weights": [weights[e] * selectors[e] for row in edge for e in row],
             "active": [selectors[e] != 0.0 for row in edge for e in row]}
    if "quantizer" in parts:
        threshold = threshold_of(*parts["quantizer"])
        layer["quantizers"] = [{"bits": bits_of(config, number + 1, parts["quantizer"][0]), "threshold": threshold}] * nodes
        layer["entries_clamped"] = True
    return layer


def base_of(config):
    given = str(config.get("base_activation", "silu"))
    name = given.removeprefix("torch.").removeprefix("nn.").removesuffix("()").lower()
    if name not in BASES:
        raise ExportError(f"base_activation: is {given}, expected nn.SiLU, nn.GELU or none")
    return name


def export_state_dict(state, config=None, **options):
    """The checkpoint of a state dict, of torch or of torch_file, as a dict for json.dump().

    config: KANELE's config.json as a dict, or parts of it; needed for quantisers (layers_bitwidth) and another base than SiLU.
    options: name, features and classes ("a,b,c"), scaler (means, scales of a standardisation that comes first).
    """
    config = config or {}
    layers, transforms, threshold = sort_keys(state)
    exported = [export_layer(parts, number, config, base_of(config)) for number, parts in enumerate(layers)]
    for number in range(1, len(exported)):
        if exported[number]["input_count"] != exported[number - 1]["node_count"]:
            raise ExportError(f"layers.{number}.spline_weight: has {exported[number]['input_count']} inputs, "
                              f"expected the {exported[number - 1]['node_count']} outputs of layers.{number - 1}")
    widths = [exported[0]["input_count"]] + [layer["node_count"] for layer in exported]
    if config.get("layers", widths) != widths:
        raise ExportError(f"layers: is {config['layers']} in the configuration, but the file holds {widths}")
    outputs = widths[-1]
    classes = [] if options.get("classes") is None else names(options["classes"], 2 if outputs == 1 else outputs, "c")
    return {"format_version": 1, "name": options.get("name") or "model", "classes": classes,
            "inputs": export_inputs(transforms, threshold, config, widths[0], options), "layers": exported}


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            root = json.load(file)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise FileError(f"{path}: is no JSON: {error}") from None
    if not isinstance(root, dict):
        raise FileError(f"{path}: expected a JSON object")
    return root


def scaler_of(beside):
    """The standardisation that some training scripts save beside the state dict, under scikit-learn's names."""
    found = beside.get("scaler_mean_"), beside.get("scaler_scale_")
    if found == (None, None):
        return None
    if not all(isinstance(one, (list, tuple)) and all(isinstance(value, (int, float)) for value in one) for one in found):
        raise ExportError("scaler_mean_, scaler_scale_: expected two lists of numbers")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="example:\n  export_torch_kan.py model.pt --config config.json --out model.json\n"
                                            "  kanc import checkpoint model.json --out model-1.0.0\n\nexit: 0 written, 2 wrong command line, 3 wrong input")
    parser.add_argument("checkpoint", help="file of torch.save(): a state dict, or a dict with model_state_dict")
    parser.add_argument("--config", help="KANELE's config.json: layers_bitwidth, base_activation, ...; a model without quantisers needs none")
    parser.add_argument("--base", choices=sorted(BASES), help="base function, where no configuration tells it (default: silu)")
    parser.add_argument("--name", help="name of the model (default: model)")
    parser.add_argument("--features", metavar="A,B,...", help="names of the inputs (default: in0,in1,...)")
    parser.add_argument("--classes", metavar="A,B,...", help="names of the classes (default: none)")
    parser.add_argument("--out", required=True, metavar="MODEL.json", help="checkpoint to write")
    arguments = parser.parse_args()
    try:
        config = read_json(arguments.config) if arguments.config else {}
        if arguments.base:
            config["base_activation"] = arguments.base
        state, beside = state_of(torch_file.read(arguments.checkpoint))
        model = export_state_dict(state, config, name=arguments.name, features=arguments.features, classes=arguments.classes,
                                  scaler=scaler_of(beside))
        write(model, arguments.out)
    except FileError as error:
        return torch_file.fail(error)
    print(f"exported {arguments.checkpoint}: {summary(model)}")
    if scaler_of(beside):
        print("  the standardisation saved beside the model (scaler_mean_, scaler_scale_) is part of the input stage")
    return 0


if __name__ == "__main__":
    sys.exit(main())
