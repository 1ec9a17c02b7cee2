"""Reads the tensors of a PyTorch file (.pt: a zip with a pickle and raw storages) without torch and without running anything out of it.

A pickle names the functions that rebuild its objects. Here only those that make up tensors and plain containers are known, each to
code of this file; whatever else a file names is refused by that name, and nothing of it is imported or called.
"""
import collections
import io
import pickle
import struct
import sys
import zipfile

ENTRY_BYTES_MAX = 1 << 30  # of one storage, and of the pickle
VALUES_MAX = 1 << 25       # of one tensor

# Storage classes of torch: struct code and bytes of an element.
STORAGES = {
    "DoubleStorage": ("d", 8), "FloatStorage": ("f", 4), "HalfStorage": ("e", 2), "LongStorage": ("q", 8), "IntStorage": ("i", 4),
    "ShortStorage": ("h", 2), "CharStorage": ("b", 1), "ByteStorage": ("B", 1), "BoolStorage": ("?", 1), "BFloat16Storage": ("bfloat16", 2),
}


class FileError(Exception):
    """The file is not what it should be; the message says what was expected."""


class Tensor:
    """Values in row-major order, as Python numbers, and a shape."""

    def __init__(self, shape, values):
        self.shape = tuple(shape)
        self.values = values

    def item(self):
        if len(self.values) != 1:
            raise FileError(f"has {len(self.values)} values, expected one")
        return self.values[0]


class _Storage:
    def __init__(self, kind, read):
        self.kind = kind
        self.read = read
        self.values = None

    def load(self):
        if self.values is None:
            code, size = STORAGES[self.kind]
            raw = self.read()
            if code == "bfloat16":  # the upper half of a float32
                raw, code, size = b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw) - 1, 2)), "f", 4
            self.values = struct.unpack(f"<{len(raw) // size}{code}", raw[:len(raw) // size * size])
        return self.values


def _rebuild_tensor(storage, offset, shape, stride, *_):
    """A strided view of a storage, as values in row-major order."""
    if not isinstance(storage, _Storage) or len(shape) != len(stride) or min((offset, *shape, *stride), default=0) < 0:
        raise FileError("a tensor's storage, shape or stride is garbled")
    count = 1
    for extent in shape:
        count *= extent
    if count > VALUES_MAX:
        raise FileError(f"a tensor has {count} values, expected at most {VALUES_MAX}")
    stored = storage.load()
    last = offset + sum((extent - 1) * step for extent, step in zip(shape, stride))
    if count and last >= len(stored):
        raise FileError(f"a tensor reaches to value {last} of a storage of {len(stored)}")
    even, step = [], 1
    for extent in reversed(shape):
        even.insert(0, step)
        step *= extent
    if list(stride) == even:  # row-major without gaps
        return Tensor(shape, list(stored[offset:offset + count]))
    places = [offset]
    for extent, step in zip(shape, stride):
        places = [place + step * i for place in places for i in range(extent)]
    return Tensor(shape, [stored[place] for place in places])


def _rebuild_parameter(data, *_):
    return data


class _Unpickler(pickle.Unpickler):
    KNOWN = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        ("torch", "Size"): tuple,
    }

    def __init__(self, stream, read_storage):
        super().__init__(stream)
        self._read_storage = read_storage
        self._storages = {}

    def find_class(self, module, name):
        if (module, name) in self.KNOWN:
            return self.KNOWN[module, name]
        if module in ("torch", "torch.storage") and name in STORAGES:
            return name
        raise FileError(f"needs {module}.{name}, which is more than tensors and plain containers; save model.state_dict() instead of the model")

    def persistent_load(self, identity):
        if not isinstance(identity, tuple) or len(identity) < 3 or identity[0] != "storage" or identity[1] not in STORAGES:
            raise FileError(f"refers to {identity!r:.80}, expected a storage of tensors")
        key = str(identity[2])
        if key not in self._storages:
            self._storages[key] = _Storage(identity[1], lambda: self._read_storage(key))
        return self._storages[key]


def read(path):
    """What torch.load(path) would give, with Tensor in place of torch's. Raises FileError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive)
    except FileError as error:
        raise FileError(f"{path}: {error}") from None
    except zipfile.BadZipFile:
        raise FileError(f"{path}: is no zip file, as torch.save() writes since PyTorch 1.6; save it again with a newer one") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error, MemoryError) as error:
        raise FileError(f"{path}: is garbled ({type(error).__name__}: {error})") from None


def _read_archive(archive):
    def entry(name):
        try:
            size = archive.getinfo(name).file_size
        except KeyError:
            raise FileError(f"holds no {name}") from None
        if size > ENTRY_BYTES_MAX:
            raise FileError(f"{name} has {size} bytes, expected at most {ENTRY_BYTES_MAX}")
        return archive.read(name)

    pickles = [name for name in archive.namelist() if name.endswith("data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise FileError("holds no data.pkl; expected a file written by torch.save(), not a TorchScript or another archive")
    root = pickles[0][:-len("data.pkl")]
    if f"{root}byteorder" in archive.namelist() and entry(f"{root}byteorder").strip() != b"little":
        raise FileError("was written by a big-endian machine")
    return _Unpickler(io.BytesIO(entry(pickles[0])), lambda key: entry(f"{root}data/{key}")).load()


def plain(value):
    """A tensor of torch, one of this file, or plain numbers as Tensor; for models that are alive in PyTorch."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "detach"):  # torch's, which need not be imported for that
        value = value.detach().cpu()
        flat = value.reshape(-1).tolist()
        return Tensor(tuple(value.shape), flat)
    raise FileError(f"is a {type(value).__name__}, expected a tensor")


def fail(error):
    print(f"error: {error}", file=sys.stderr)
    return 3
