"""What a notebook shows: tables, plots and text, turned into pieces of its page."""

from __future__ import annotations

import base64
import io
import pprint
import sys
from collections.abc import Sequence
from typing import Any

ROWS = 1000  # rows of a frame that are shown
_FEWER_ROWS = 100
_BIG = 2_000_000  # characters of a table above which fewer rows are shown
_TEXT = 32 * 1024  # characters kept of each end of a printed text

Output = dict[str, str]  # kind: html | frame | png | text | error; data


class Printed:
    """Text as it is printed, of which head and tail are kept."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._room = _TEXT
        self._tail: list[str] = []
        self._tail_size = 0
        self._cut = 0

    def add(self, text: str) -> None:
        """Append a text."""
        now, later = text[: self._room], text[self._room :]
        if now:
            self._head.append(now)
            self._room -= len(now)
        if later:
            self._tail.append(later)
            self._tail_size += len(later)
            if self._tail_size > 4 * _TEXT:
                kept = "".join(self._tail)[-_TEXT:]
                self._cut += self._tail_size - len(kept)
                self._tail, self._tail_size = [kept], len(kept)

    def output(self) -> Output:
        """What is kept, as a piece of the page."""
        tail = "".join(self._tail)
        cut = self._cut + max(0, len(tail) - _TEXT)
        note = f"\n[... {cut} characters: see the log ...]\n" if cut else ""
        return {"kind": "text", "data": "".join(self._head) + note + tail[-_TEXT:]}


def shown(value: Any) -> Output:
    """What `display(value)` shows; a Spark frame is read, at most 1000 rows of it."""
    if hasattr(value, "toPandas"):
        value = value.limit(ROWS).toPandas()
    return echoed(value)


def echoed(value: Any) -> Output:
    """What a cell shows whose last line is an expression: the value, without reading frames."""
    if hasattr(value, "to_frame") and hasattr(value, "index"):  # a pandas series
        value = value.to_frame()
    if hasattr(value, "to_html") and hasattr(value, "columns"):
        return {"kind": "html", "data": _table(value)}
    if hasattr(value, "savefig"):
        return _figure(value)
    rich = value._repr_html_() if hasattr(value, "_repr_html_") else None
    if rich is not None:
        return {"kind": "html", "data": rich}
    return {"kind": "text", "data": pprint.pformat(value, width=100)[: 2 * _TEXT]}


def markup(text: str) -> Output:
    """What `displayHTML(text)` shows: in a frame of its own."""
    return {"kind": "frame", "data": text}


def _table(frame: Any) -> str:
    text = frame.to_html(max_rows=ROWS, border=0)
    return text if len(text) <= _BIG else frame.to_html(max_rows=_FEWER_ROWS, border=0)


def _figure(figure: Any) -> Output:
    import matplotlib.pyplot

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110, bbox_inches="tight")
    matplotlib.pyplot.close(figure)
    return {"kind": "png", "data": base64.b64encode(drawn.getvalue()).decode()}


def open_figures() -> Sequence[Output]:
    """Plots that a cell has drawn and not shown yet."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    return [_figure(pyplot.figure(number)) for number in pyplot.get_fignums()]
