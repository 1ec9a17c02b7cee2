"""Rows, in whatever form, as the payload of a batch."""
import array
import sys

from kantrig.v1 import event_pb2

_VALUE_BYTES = {event_pb2.ENCODING_FLOAT32: 4, event_pb2.ENCODING_CODE8: 1, event_pb2.ENCODING_CODE16: 2}


def rows_to_payload(rows, encoding, feature_count):
    """(payload, event_count, feature_count, encoding) of an array, a list of rows of floats, or bytes."""
    if isinstance(rows, (bytes, bytearray, memoryview)):
        if encoding not in _VALUE_BYTES or not feature_count:
            raise ValueError("bytes need an encoding and a feature_count")
        payload = bytes(rows)
        row_bytes = feature_count * _VALUE_BYTES[encoding]
        if not payload or len(payload) % row_bytes:
            raise ValueError(f"payload of {len(payload)} bytes, expected a multiple of {row_bytes}")
        return payload, len(payload) // row_bytes, feature_count, encoding
    if hasattr(rows, "dtype"):  # a numpy array
        if rows.ndim != 2 or 0 in rows.shape:
            raise ValueError(f"rows of shape {rows.shape}, expected events x features")
        kind = {"uint8": ("u1", event_pb2.ENCODING_CODE8), "uint16": ("<u2", event_pb2.ENCODING_CODE16),
                "float32": ("<f4", event_pb2.ENCODING_FLOAT32), "float64": ("<f4", event_pb2.ENCODING_FLOAT32)}
        if rows.dtype.name not in kind:
            raise ValueError(f"rows of {rows.dtype.name}, expected float32, float64, uint8 or uint16")
        dtype, encoding = kind[rows.dtype.name]
        return rows.astype(dtype).tobytes(), rows.shape[0], rows.shape[1], encoding
    rows = [list(row) for row in rows]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("expected rows of equal, non-zero length")
    values = array.array("f", [value for row in rows for value in row])
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes(), len(rows), len(rows[0]), event_pb2.ENCODING_FLOAT32
