"""Executes ONNX files of `kanc export onnx` with numpy: the operators they use, each written down from ONNX's specification.

    onnx_run.py MODEL.onnx --input x=X.f32 --expect outputs=Y.i32 [--tolerance 1e-4]

compares with raw little-endian values of f32, i32, i64 or f64 files. Types are kept as the specification has them: a float32 operator computes and
rounds in float32. An operator, attribute or type that it does not know is an error.
"""
import argparse
import math
import sys

import numpy

from kantrig.onnx import model_pb2

TYPES = {model_pb2.ELEMENT_TYPE_FLOAT: numpy.float32, model_pb2.ELEMENT_TYPE_INT32: numpy.int32, model_pb2.ELEMENT_TYPE_INT64: numpy.int64,
         model_pb2.ELEMENT_TYPE_BOOL: numpy.bool_}
FILES = {"f32": numpy.float32, "i32": numpy.int32, "i64": numpy.int64, "f64": numpy.float64}


def same_type(*values):
    if len({value.dtype for value in values}) != 1:
        raise TypeError(f"types {[str(value.dtype) for value in values]}, which ONNX does not mix")
    return values


def binary(function):
    return lambda attributes, a, b: function(*same_type(a, b))


def divide(attributes, a, b):
    same_type(a, b)
    if a.dtype == numpy.float32:
        return a / b
    return (numpy.sign(a) * numpy.sign(b) * (numpy.abs(a) // numpy.abs(b))).astype(a.dtype)  # truncated


def clip(attributes, x, low, high):
    same_type(x, low, high)
    return numpy.minimum(numpy.maximum(x, low), high)


def slice_axis(attributes, x, begin, end, axis):
    place = [slice(None)] * x.ndim
    place[int(axis[0])] = slice(int(begin[0]), int(end[0]))
    return x[tuple(place)]


def cast(attributes, x):
    return x.astype(TYPES[attributes["to"]])


def gather(attributes, x, places):
    if places.size and (places.min() < 0 or places.max() >= x.shape[attributes["axis"]]):
        raise IndexError(f"Gather reaches {places.min()} to {places.max()} of {x.shape[attributes['axis']]}")
    return numpy.take(x, places, axis=attributes["axis"])


def reduce_sum(attributes, x, axes):
    return numpy.sum(x, axis=tuple(int(axis) for axis in axes), keepdims=bool(attributes["keepdims"]), dtype=x.dtype)


def arg_max(attributes, x):
    if x.dtype == numpy.int64:
        raise TypeError("ArgMax of int64, which ONNX Runtime lacks")
    if attributes["select_last_index"] or attributes["keepdims"]:
        raise NotImplementedError("ArgMax with keepdims or select_last_index")
    return numpy.argmax(x, axis=attributes["axis"]).astype(numpy.int64)


def unary(function):
    return lambda attributes, x: function(x).astype(numpy.float32)


OPERATORS = {
    "Add": binary(numpy.add), "Sub": binary(numpy.subtract), "Mul": binary(numpy.multiply), "Div": divide, "Max": binary(numpy.maximum),
    "Min": binary(numpy.minimum), "MatMul": binary(numpy.matmul), "GreaterOrEqual": binary(numpy.greater_equal), "Less": binary(numpy.less),
    "Greater": binary(numpy.greater), "And": binary(numpy.logical_and), "Clip": clip, "Slice": slice_axis, "Cast": cast, "Gather": gather,
    "ReduceSum": reduce_sum, "ArgMax": arg_max, "Round": unary(numpy.rint), "Sqrt": unary(numpy.sqrt), "Exp": unary(numpy.exp),
    "Log": unary(numpy.log), "Sin": unary(numpy.sin), "Cos": unary(numpy.cos), "Tanh": unary(numpy.tanh), "Atan": unary(numpy.arctan),
    "Abs": lambda attributes, x: numpy.abs(x), "Neg": unary(numpy.negative), "Erf": unary(numpy.vectorize(math.erf)), "Relu": unary(lambda x: numpy.maximum(x, 0)),
    "Sigmoid": unary(lambda x: numpy.float32(1) / (numpy.float32(1) + numpy.exp(-x))),
    "Where": lambda attributes, condition, x, y: numpy.where(condition, *same_type(x, y)),
    "Unsqueeze": lambda attributes, x, axes: numpy.expand_dims(x, tuple(int(axis) for axis in axes)),
    "Squeeze": lambda attributes, x, axes: numpy.squeeze(x, tuple(int(axis) for axis in axes)),
    "Reshape": lambda attributes, x, shape: numpy.reshape(x, [int(extent) for extent in shape]), "Identity": lambda attributes, x: x,
}


def load(path):
    model = model_pb2.Model()
    with open(path, "rb") as file:
        model.ParseFromString(file.read())
    return model


def run(model, inputs):
    """Outputs by name, of inputs by name."""
    values = {}
    for tensor in model.graph.initializer:
        dtype = TYPES[tensor.data_type]
        values[tensor.name] = numpy.frombuffer(tensor.raw_data, dtype=numpy.dtype(dtype).newbyteorder("<")).reshape(list(tensor.dims))
    for value in model.graph.input:
        given = inputs[value.name]
        if given.dtype != TYPES[value.type.tensor_type.elem_type]:
            raise TypeError(f"{value.name} is given as {given.dtype}")
        values[value.name] = given
    with numpy.errstate(over="ignore"):
        for node in model.graph.node:
            attributes = {attribute.name: attribute.i for attribute in node.attribute}
            [name] = node.output
            values[name] = OPERATORS[node.op_type](attributes, *(values[one] for one in node.input))
    outputs = {}
    for value in model.graph.output:
        result = values[value.name]
        extents = [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:]
        if result.dtype != TYPES[value.type.tensor_type.elem_type] or list(result.shape[1:]) != extents:
            raise TypeError(f"{value.name} is {result.dtype} {result.shape}, declared otherwise")
        outputs[value.name] = result
    return outputs


def read_raw(text, columns):
    name, path = text.split("=", 1)
    values = numpy.fromfile(path, dtype=FILES[path.rsplit(".", 1)[1]])
    return name, values.reshape(-1, columns[name]) if columns[name] else values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--input", required=True)
    parser.add_argument("--expect", required=True, action="append")
    parser.add_argument("--tolerance", type=float, default=0.0, help="relative to the largest expected magnitude, or 1")
    arguments = parser.parse_args()
    model = load(arguments.model)
    columns = {value.name: ([dim.dim_value for dim in value.type.tensor_type.shape.dim][1:] or [0])[0]
               for value in [*model.graph.input, *model.graph.output]}
    outputs = run(model, dict([read_raw(arguments.input, columns)]))
    for text in arguments.expect:
        name, expected = read_raw(text, columns)
        got = outputs[name]
        if got.shape != expected.shape:
            sys.exit(f"{name}: shape {got.shape}, expected {expected.shape}")
        # Exact for integers: both fit float64.
        off = numpy.abs(got.astype(numpy.float64) - expected.astype(numpy.float64))
        allowed = arguments.tolerance * max(1.0, numpy.abs(expected).max(initial=0.0))
        print(f"{name}: {got.size} values, largest difference {off.max(initial=0.0):.3g}, allowed {allowed:.3g}")
        if not (off <= allowed).all():
            place = numpy.argwhere(~(off <= allowed))[0]
            sys.exit(f"{name}{list(place)}: {got[tuple(place)]}, expected {expected[tuple(place)]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
