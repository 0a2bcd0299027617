"""What a notebook shows: tables, plots and text, turned into pieces of its page."""

from __future__ import annotations

import base64
import io
import pprint
import sys
from collections.abc import Sequence
from typing import Any

from nextbest.runner.secrets import redact

ROWS = 1000  # rows of a frame that are shown
_FEWER_ROWS = 100
_BIG = 2_000_000  # characters of a table above which fewer rows are shown
_TEXT = 32 * 1024  # characters kept of each end of a printed text

Output = dict[str, str]  # kind: html | frame | png | text | error; data


class Printed:
    """Text as it is printed, of which head and tail are kept; no cut goes through a secret."""

    def __init__(self, hidden: tuple[str, ...] = ()) -> None:
        self._hidden = hidden
        self._longest = max(map(len, hidden), default=0)
        self._head = ""  # raw, like what is kept: with room for a secret that a cut goes through
        self._kept: list[str] = []
        self._size = 0  # of what is kept
        self._dropped = 0

    def add(self, text: str) -> None:
        """Append a text."""
        self._kept.append(text)
        self._size += len(text)
        reach = _TEXT + self._longest
        if self._size > 4 * reach:
            whole = "".join(self._kept)
            self._head = self._head or whole[:reach]
            self._kept, self._size = [whole[-reach:]], reach
            self._dropped += len(whole) - reach

    def output(self) -> Output:
        """What is kept, as a piece of the page."""
        kept = "".join(self._kept)
        head = tail = redact(kept, self._hidden)
        if self._head:  # at the inner ends, halves of secrets may be left
            head = redact(self._head, self._hidden)
            head, tail = head[: len(head) - self._longest], tail[self._longest :]
        cut = self._dropped + len(kept) - 2 * _TEXT
        if cut <= 0:
            return {"kind": "text", "data": tail}
        note = f"\n[... {cut} characters: see the log ...]\n"
        return {"kind": "text", "data": head[:_TEXT] + note + tail[-_TEXT:]}


def shown(value: Any, hidden: tuple[str, ...] = ()) -> Output:
    """What `display(value)` shows; a Spark frame is read, at most 1000 rows of it.

    As on Databricks, the index of a pandas frame is not shown.
    """
    if hasattr(value, "toPandas"):
        value = value.limit(ROWS).toPandas()
    if _is_table(value):
        return {"kind": "html", "data": _table(value, index=False)}
    return echoed(value, hidden)


def echoed(value: Any, hidden: tuple[str, ...] = ()) -> Output:
    """What a cell shows whose last line is an expression: the value, without reading frames.

    Secrets (`hidden`) are blacked out before a text is broken into lines or cut.
    """
    if hasattr(value, "to_frame") and hasattr(value, "index"):  # a pandas series
        value = value.to_frame()
    if _is_table(value):
        return {"kind": "html", "data": _table(value, index=True)}
    if hasattr(value, "savefig"):
        return _figure(value)
    rich = value._repr_html_() if hasattr(value, "_repr_html_") else None
    if rich is not None:
        return {"kind": "html", "data": rich}
    flat = pprint.pformat(value, width=sys.maxsize) if hidden else ""
    clean = redact(flat, hidden)
    text = pprint.pformat(value, width=100) if clean == flat else clean
    return {"kind": "text", "data": text[: 2 * _TEXT]}


def markup(text: str) -> Output:
    """What `displayHTML(text)` shows: in a frame of its own."""
    return {"kind": "frame", "data": text}


def _is_table(value: Any) -> bool:
    return hasattr(value, "to_html") and hasattr(value, "columns")


def _table(frame: Any, index: bool) -> str:
    text = frame.to_html(max_rows=ROWS, border=0, index=index)
    return text if len(text) <= _BIG else frame.to_html(max_rows=_FEWER_ROWS, border=0, index=index)


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
