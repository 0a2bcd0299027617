"""Sketches as bytes, for a table: a header in JSON and the arrays, compressed."""

from __future__ import annotations

import json
import zlib

import numpy as np

from nextbest.errors import DataError
from nextbest.monitoring import labelled
from nextbest.monitoring.distinct import Distinct
from nextbest.monitoring.items import Items
from nextbest.monitoring.labelled import Quality
from nextbest.monitoring.points import Points, cut
from nextbest.monitoring.rounding import EXACT
from nextbest.monitoring.sketches import CategorySketch, NumberSketch, Sketch

FORMAT = 1  # another number when what is stored changes its meaning
_NUMBER = ("data_type", "rows", "nulls", "nans", "zeros", "mean", "squares", "low", "high")
_CATEGORY = ("data_type", "rows", "nulls", "shortest", "longest", "letters")


def to_bytes(sketch: Sketch) -> bytes:
    """What `from_bytes` reads; more points than EXACT are cut, some 20 KB at most."""
    if isinstance(sketch, NumberSketch):
        points = sketch.points if len(sketch.points.values) <= EXACT else cut(sketch.points)
        told = {name: getattr(sketch, name) for name in _NUMBER}
        told |= {"error": points.error, "moved": points.moved}
        arrays = [points.values, points.rows, points.spread]
    else:
        told = {name: getattr(sketch, name) for name in _CATEGORY}
        items = sketch.items
        told |= {"names": items.names.tolist(), "lost": items.lost}
        arrays = [items.rows, np.empty(0, np.int64) if items.exact else items.buckets]
    arrays.append(sketch.distinct.hashes)
    if isinstance(sketch, CategorySketch) and sketch.sampled is not None:
        arrays.append(sketch.sampled)
    told |= {"format": FORMAT, "arrays": [[array.dtype.str, len(array)] for array in arrays]}
    header = json.dumps(told).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return zlib.compress(len(header).to_bytes(4, "little") + header + body, 1)


def from_bytes(content: bytes) -> Sketch:
    """The sketch again. DataError when it was stored in another format."""
    raw = zlib.decompress(content)
    start = 4 + int.from_bytes(raw[:4], "little")
    told = json.loads(raw[4:start])
    if told["format"] != FORMAT:
        raise DataError(
            f"a stored sketch has format {told['format']}, this version reads {FORMAT}: drop the "
            "table of sketches and profile its days again"
        )
    arrays = []
    for kind, size in told["arrays"]:
        arrays.append(np.frombuffer(raw, np.dtype(kind), size, start))
        start += arrays[-1].nbytes
    if "names" in told:
        rows, buckets, hashes, *sampled = arrays
        names = np.array(told["names"], dtype=object)
        items = Items(names, rows, told["lost"], buckets if len(buckets) else None)
        return CategorySketch(
            *(told[name] for name in _CATEGORY), items, Distinct(hashes), *sampled
        )
    values, rows, spread, hashes = arrays
    points = Points(values, rows, spread, told["error"], told["moved"])
    return NumberSketch(*(told[name] for name in _NUMBER), points, Distinct(hashes))


def quality_bytes(quality: Quality) -> bytes:
    """What `quality_from` reads."""
    return zlib.compress(json.dumps(labelled.to_json(quality)).encode(), 1)


def quality_from(content: bytes) -> Quality:
    """How good predictions were, again."""
    return labelled.from_json(json.loads(zlib.decompress(content)))
