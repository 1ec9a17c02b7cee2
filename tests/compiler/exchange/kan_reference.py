"""KANs in plain Python, written down once more from their definitions, for the tests of exporters: splines by Cox and de Boor, models of
efficient-KAN, KANELE and pykan from their state dicts, checkpoints from their JSON."""
import math
import struct


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def splines(x, knots, order):
    """All B-splines over extended knots, cells half open."""
    values = [1.0 if left <= x < right else 0.0 for left, right in zip(knots, knots[1:])]
    for k in range(1, order + 1):
        raised = []
        for i in range(len(values) - 1):
            left = knots[i + k] - knots[i]
            right = knots[i + k + 1] - knots[i + 1]
            raised.append((values[i] * (x - knots[i]) / left if left else 0.0) + (values[i + 1] * (knots[i + k + 1] - x) / right if right else 0.0))
        values = raised
    return values


def uniform_knots(low, high, size, order):
    step = (high - low) / size
    return [low + (i - order) * step for i in range(size + 2 * order + 1)]


BASES = {"silu": lambda x: x / (1.0 + math.exp(-x)), "gelu": lambda x: 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0))), "none": lambda x: 0.0}
FUNCTIONS = {"0": lambda x: 0.0, "x": lambda x: x, "x^2": lambda x: x * x, "sin": math.sin, "exp": math.exp, "sqrt": lambda x: math.sqrt(abs(x)),
             "tanh": math.tanh, "log": lambda x: math.log(abs(x))}


def edge_of_state(state, layer, i, k, order, base):
    """Edge i -> k of an efficient-KAN or KANELE layer, as a function."""
    def part(name, *place):
        tensor = state.get(f"layers.{layer}.{name}")
        if tensor is None:
            return 1.0
        at = 0
        for extent, index in zip(tensor.shape, place):
            at = at * extent + index
        return float32(tensor.values[at])
    basis = state[f"layers.{layer}.spline_weight"].shape[2]
    knots = [part("grid", i, n) for n in range(basis + order + 1)]

    def value(x):
        spline = sum(part("spline_weight", k, i, b) * part("spline_scaler", k, i) * one for b, one in enumerate(splines(x, knots, order)))
        return part("spline_selector", k, i) * (part("base_weight", k, i) * BASES[base](x) + spline)
    return value


def checkpoint_edge(layer, i, k):
    """Edge i -> k of a layer of checkpoint JSON, as a function."""
    nodes, edge = layer["node_count"], i * layer["node_count"] + k
    if not layer["active"][edge]:
        return lambda x: 0.0
    for formula in layer.get("formulas", ()):
        if (formula["input"], formula["node"]) == (i, k):
            return lambda x: (formula["outer_scale"] * FUNCTIONS[formula["function"]](formula["inner_scale"] * x + formula["inner_offset"]) +
                              formula["outer_offset"])
    order, basis = layer["spline_order"], layer["grid_size"] + layer["spline_order"]
    knots = (layer["knots"][i]["values"] if "knots" in layer else uniform_knots(layer["grid_low"], layer["grid_high"], layer["grid_size"], order))
    base = BASES[layer["base"].removeprefix("BASE_FUNCTION_").lower()]
    own = [layer["coefficients"][(i * basis + b) * nodes + k] for b in range(basis)]
    return lambda x: layer["weights"][edge] * base(x) + sum(c * one for c, one in zip(own, splines(x, knots, order)))


def checkpoint_outputs(model, event):
    values = [one["gain"] * x + one["shift"] for one, x in zip(model["inputs"], event)]
    for layer in model["layers"]:
        values = [sum(checkpoint_edge(layer, i, k)(x) for i, x in enumerate(values)) + (layer["biases"][k] if layer.get("biases") else 0.0)
                  for k in range(layer["node_count"])]
    return values
