"""Reads the tensors of a PyTorch file (.pt: a zip with a pickle and raw storages) without torch and without running anything out of it.

A pickle names the functions that rebuild its objects. Here only those that make up tensors and plain containers are known, each to
code of this file; whatever else a file names is refused by that name, and nothing of it is imported or called.
"""
import collections
import io
import pickle
import pickletools
import struct
import sys
import zipfile
import zlib

PICKLE_BYTES_MAX = 64 << 20
STORAGE_BYTES_MAX = 64 << 20  # of one storage
VALUES_MAX = 1 << 24          # of one tensor

# Storage classes of torch: struct code and bytes of an element.
STORAGES = {
    "DoubleStorage": ("d", 8), "FloatStorage": ("f", 4), "HalfStorage": ("e", 2), "LongStorage": ("q", 8), "IntStorage": ("i", 4),
    "ShortStorage": ("h", 2), "CharStorage": ("b", 1), "ByteStorage": ("B", 1), "BoolStorage": ("?", 1), "BFloat16Storage": ("bfloat16", 2),
}

# What torch.save() writes of tensors, containers, numbers and words. Others reserve memory by numbers in the file.
OPCODES = frozenset("""PROTO FRAME STOP MARK EMPTY_DICT EMPTY_LIST EMPTY_TUPLE DICT LIST TUPLE TUPLE1 TUPLE2 TUPLE3 SETITEM SETITEMS APPEND APPENDS
    NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINPUT LONG_BINPUT MEMOIZE BINGET LONG_BINGET
    GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD BINPERSID""".split())
GARBLED = (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, MemoryError, struct.error,
           zipfile.BadZipFile, zlib.error, NotImplementedError)


class FileError(Exception):
    """The file is not what it should be; the message says what was expected."""


class Tensor:
    """A shape, and values in row-major order as Python numbers, which are read when they are asked for."""

    def __init__(self, shape, load):
        self.shape = tuple(shape)
        self._load = load

    def __setstate__(self, state):
        raise FileError("a tensor has more than storage, shape and stride")

    @property
    def values(self):
        if callable(self._load):
            self._load = self._load()
        return self._load

    def item(self):
        if len(self.values) != 1:
            raise FileError(f"has {len(self.values)} values, expected one")
        return self.values[0]


class _Dict(collections.OrderedDict):
    def __setstate__(self, state):
        """torch hangs versions of its modules on a state dict; they are of no use here."""


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
    numbers = (offset, *shape, *stride)
    if not isinstance(storage, _Storage) or len(shape) != len(stride) or not all(isinstance(one, int) and one >= 0 for one in numbers):
        raise FileError("a tensor's storage, shape or stride is garbled")
    count = 1
    for extent in shape:
        count *= extent
    if count > VALUES_MAX:
        raise FileError(f"a tensor has {count} values, expected at most {VALUES_MAX}")

    def load():
        stored = storage.load()
        last = offset + sum((extent - 1) * step for extent, step in zip(shape, stride))
        if count and last >= len(stored):
            raise FileError(f"a tensor reaches to value {last} of a storage of {len(stored)}")
        even, step = [], 1
        for extent in reversed(shape):
            even.insert(0, step)
            step *= extent
        if list(stride) == even:  # row-major without gaps
            return list(stored[offset:offset + count])
        places = [offset]
        for extent, step in zip(shape, stride):
            places = [place + step * i for place in places for i in range(extent)]
        return [stored[place] for place in places]
    return Tensor(shape, load)


def _rebuild_parameter(data, *_):
    return data


class _Unpickler(pickle.Unpickler):
    KNOWN = {
        ("collections", "OrderedDict"): _Dict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        ("torch", "Size"): tuple,
    }

    def __init__(self, text, read_storage):
        super().__init__(io.BytesIO(text))
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


def _check_opcodes(text):
    """Refuses a pickle that could make its reader reserve more than its own length."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(text)):
        if opcode.name not in OPCODES:
            raise FileError(f"has the pickle operation {opcode.name}, expected tensors, plain containers, numbers and words")
        if opcode.name == "LONG_BINPUT" and argument > count:
            raise FileError(f"is garbled (place {argument} for object {count})")


def read(path):
    """What torch.load(path) would give, with Tensor in place of torch's. Raises FileError, also when values are asked for later."""
    def entry(name, bytes_max):
        try:
            with zipfile.ZipFile(path) as archive:
                size = archive.getinfo(name).file_size
                if size > bytes_max:
                    raise FileError(f"{path}: {name} has {size} bytes, expected at most {bytes_max}")
                return archive.read(name)
        except KeyError:
            raise FileError(f"{path}: holds no {name}") from None
        except OSError as error:
            raise FileError(f"{path}: {error.strerror or error}") from None
        except GARBLED as error:
            raise FileError(f"{path}: {name} is garbled ({error})") from None

    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.namelist()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    except GARBLED:
        raise FileError(f"{path}: is no zip file, as torch.save() writes since PyTorch 1.6; save it again with a newer one") from None
    pickles = [name for name in listed if name.endswith("data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise FileError(f"{path}: holds no data.pkl; expected a file written by torch.save(), not a TorchScript or another archive")
    root = pickles[0][:-len("data.pkl")]
    if f"{root}byteorder" in listed and entry(f"{root}byteorder", 64).strip() != b"little":
        raise FileError(f"{path}: was written by a big-endian machine")
    text = entry(pickles[0], PICKLE_BYTES_MAX)
    try:
        _check_opcodes(text)
        return _Unpickler(text, lambda key: entry(f"{root}data/{key}", STORAGE_BYTES_MAX)).load()
    except FileError as error:
        raise FileError(f"{path}: {error}") from None
    except GARBLED as error:
        raise FileError(f"{path}: is garbled ({type(error).__name__}: {error})") from None


def plain(value):
    """A tensor of torch, of a model that is alive in PyTorch, or of this file, as one of this file."""
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
