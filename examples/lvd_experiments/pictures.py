#!/usr/bin/env python3
"""Makes arrays of small pictures from the JPEGs of Tiny ImageNet (200 classes, 64 x 64 pixels).

Averages each 2 x 2 pixels, cuts the middle 16 x 16 out, and writes train.npy, valid.npy and test.npy (bytes).
The training pictures are those of the training archive, shuffled; the first half of the validation pictures,
by number, becomes valid.npy, the second half test.npy.

    pictures.py TRAIN.tar.gz VAL.tar.gz OUT [--colour grey|rgb] [--bits 8]

With --bits N only the N leading bits of each value are kept, as a number from 0 to 2^N - 1.

Needs numpy and Pillow.
"""

import argparse
import io
import re
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 16


def small(picture: Image.Image, colour: str, bits: int) -> np.ndarray:
    """The middle of a picture at half its size, each value the rounded mean of four."""
    values = np.asarray(picture.convert("RGB"), dtype=np.uint16)
    if colour == "grey":
        values = np.asarray(picture.convert("L"), dtype=np.uint16)[:, :, None]
    height, width, channels = values.shape
    blocks = values.reshape(height // 2, 2, width // 2, 2, channels).sum(axis=(1, 3))
    at = (height // 2 - SIDE) // 2
    middle = ((blocks + 2) // 4)[at : at + SIDE, at : at + SIDE].astype(np.uint8) >> (8 - bits)
    return middle[:, :, 0] if colour == "grey" else middle


def pictures(archive: Path, colour: str, bits: int) -> np.ndarray:
    """All pictures of an archive, ordered by the number in their names, then by name."""
    found = []
    with tarfile.open(archive) as files:
        for member in files:
            if member.name.endswith(".JPEG"):
                number = int(re.search(r"_(\d+)\.JPEG$", member.name).group(1))
                picture = Image.open(io.BytesIO(files.extractfile(member).read()))
                found.append((number, member.name, small(picture, colour, bits)))
    found.sort(key=lambda entry: entry[:2])
    return np.stack([picture for _, _, picture in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--colour", choices=["grey", "rgb"], default="grey")
    parser.add_argument("--bits", type=int, choices=range(1, 9), default=8, metavar="N")
    options = parser.parse_args()
    train = pictures(options.train, options.colour, options.bits)
    held_out = pictures(options.val, options.colour, options.bits)
    options.out.mkdir(parents=True, exist_ok=True)
    np.save(options.out / "train.npy", train[np.random.default_rng(1).permutation(len(train))])
    half = len(held_out) // 2
    np.save(options.out / "valid.npy", held_out[:half])
    np.save(options.out / "test.npy", held_out[half:])
    print(f"{len(train)} training, {half} validation, {len(held_out) - half} test pictures in {options.out}")


if __name__ == "__main__":
    main()
