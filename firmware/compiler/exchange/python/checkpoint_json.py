"""What both exporters share: the pieces of a checkpoint (proto/kantrig/v1/checkpoint.proto) as protobuf JSON, for `kanc import checkpoint`."""
import json
import math
import os

from torch_file import FileError

FLOAT32_TOLERANCE = 4e-6  # of a knot, relative to the grid's largest one: what float32 arithmetic leaves of an even spacing


class ExportError(FileError):
    """The model has something that a checkpoint has no counterpart for; the message names its key."""


def names(text, count, prefix):
    """Names from the command line, or made up: in0, in1, ..."""
    if text is None:
        return [f"{prefix}{i}" for i in range(count)]
    given = [name.strip() for name in text.split(",")]
    if len(given) != count or not all(given):
        raise ExportError(f"{len(given)} names given ({text}), expected {count}, separated by commas")
    return given


def matrix(tensor, key, shape):
    """The values of a tensor of this shape, checked."""
    if tensor.shape != tuple(shape):
        raise ExportError(f"{key}: has shape {list(tensor.shape)}, expected {list(shape)}")
    values = [float(value) for value in tensor.values]
    if not all(math.isfinite(value) for value in values):
        raise ExportError(f"{key}: holds values that are not finite")
    return values


def tidy(value):
    """A float32 as the decimal number that somebody typed: 0.1 of 0.10000000149."""
    return float(f"{value:.6g}")


def describe_grid(key, grids, size, order):
    """grid_size, grid_low, ... of a layer from the extended knots of each input; without `knots` where they are even and all alike."""
    low, high = tidy(grids[0][order]), tidy(grids[0][order + size])
    if not low < high:
        raise ExportError(f"{key}: runs from {low} to {high}, expected rising knots")
    step = (high - low) / size
    tolerance = FLOAT32_TOLERANCE * max(abs(grids[0][0]), abs(grids[0][-1]), 1e-30)
    even = all(abs(knot - (low + (i - order) * step)) <= tolerance for grid in grids for i, knot in enumerate(grid))
    described = {"grid_size": size, "grid_low": low, "grid_high": high, "spline_order": order}
    if not even:
        for number, grid in enumerate(grids):
            if any(right < left for left, right in zip(grid, grid[1:])):
                raise ExportError(f"{key}: the knots of input {number} do not rise")
        described["knots"] = [{"values": grid} for grid in grids]
    return described


def write(model, path):
    """The model as protobuf JSON, in one step: never half a file."""
    text = json.dumps(model, allow_nan=False)
    try:
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(f"{path}.part", path)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def summary(model):
    """One line about the model."""
    widths = [len(model["inputs"])] + [layer["node_count"] for layer in model["layers"]]
    edges = sum(sum(layer["active"]) for layer in model["layers"])
    quantised = all(one["bits"] for one in model["inputs"]) and all(layer.get("quantizers") for layer in model["layers"])
    formulas = sum(len(layer.get("formulas", ())) for layer in model["layers"])
    knots = any("knots" in layer for layer in model["layers"])
    return (f"{'-'.join(map(str, widths))}, {edges} active edges{f', {formulas} of them formulas' if formulas else ''}, "
            f"{'knots of every input' if knots else 'even grids'}, {'quantised' if quantised else 'not quantised'}")
