"""Arrays that pcc and a peer both read: a safetensors file without the library of that name.

`write` takes a dict of numpy arrays of float32, float64 or int64, `read` gives it back.
"""
import json

import numpy as np

NAMES = {np.dtype("float32"): "F32", np.dtype("float64"): "F64", np.dtype("int64"): "I64"}


def write(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        size = array.nbytes
        header[name] = {"dtype": NAMES[array.dtype], "shape": list(array.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            np.ascontiguousarray(array).tofile(file)


def read(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    kinds = {name: kind for kind, name in NAMES.items()}
    arrays = {}
    for name, entry in header.items():
        first = 8 + length + entry["data_offsets"][0]
        array = np.fromfile(path, kinds[entry["dtype"]], int(np.prod(entry["shape"])), offset=first)
        arrays[name] = array.reshape(entry["shape"])
    return arrays
