"""Writes files as torch.save() does, without torch: a zip with a pickle that names torch's rebuilding functions, and raw storages."""
import collections
import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile

CODES = {"FloatStorage": "f", "LongStorage": "q", "DoubleStorage": "d"}


class Tensor:
    """Values in the order of the storage; stride None: row-major."""

    def __init__(self, shape, values, kind="FloatStorage", stride=None, offset=0):
        self.shape, self.values, self.kind, self.offset = tuple(shape), list(values), kind, offset
        steps = []
        for extent in reversed(self.shape):
            steps.insert(0, steps[0] * previous if steps else 1)
            previous = extent
        self.stride = tuple(stride or steps)


def full(shape, value):
    """A tensor of one value, or of what a function of the place gives."""
    count = 1
    for extent in shape:
        count *= extent
    return Tensor(shape, [value(i) if callable(value) else value for i in range(count)])


class _Storage:
    def __init__(self, key, tensor, classes):
        self.identity = ("storage", classes[tensor.kind], key, "cpu", len(tensor.values))


@contextlib.contextmanager
def _torch_by_name():
    """Modules that have torch's names, for pickle to refer to."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    classes = {}
    for name in CODES:
        classes[name] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, classes[name])

    def _rebuild_tensor_v2():
        raise AssertionError("only its name is used")
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    kept = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield utils, classes
    finally:
        for name, module in kept.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def save(root, path):
    """torch.save(root, path) for dicts, lists and Tensor."""
    with _torch_by_name() as (utils, classes):
        stored = {}

        class Pickler(pickle.Pickler):
            def reducer_override(self, value):
                if not isinstance(value, Tensor):
                    return NotImplemented
                key = str(len(stored))
                stored[key] = value
                return utils._rebuild_tensor_v2, (_Storage(key, value, classes), value.offset, value.shape, value.stride, False,
                                                  collections.OrderedDict())

            def persistent_id(self, value):
                return value.identity if isinstance(value, _Storage) else None

        text = io.BytesIO()
        Pickler(text, 2).dump(root)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, tensor in stored.items():
            archive.writestr(f"archive/data/{key}", struct.pack(f"<{len(tensor.values)}{CODES[tensor.kind]}", *tensor.values))
        archive.writestr("archive/version", "3\n")
