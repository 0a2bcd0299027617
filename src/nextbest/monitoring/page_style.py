"""How monitoring pages look: one file each that needs nothing else, light and dark, on a phone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--dim:#5a6473;--paper:#fff;--card:#f6f7f9;
--line:#e0e4ea;--bad:#b93a26;--good:#1b6e45;--now:#2260c4;--base:#7d8797;--prev:#7a45b8;
--link:#1d57b3;--h1:#d7e3f6;--h2:#9fc0ee;--h3:#f2b28f;--h4:#d8553c;--h5:#8f1d10;--hx:#b8a5d6}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--dim:#a3adba;--paper:#14181f;--card:#1b212a;
--line:#2f3742;--bad:#ff8a70;--good:#5fd39b;--now:#7fb0ff;--base:#8b95a5;--prev:#c59cf2;
--link:#8ab8ff;--h1:#22324a;--h2:#33527f;--h3:#7a4a33;--h4:#c2513a;--h5:#ff8a70;--hx:#6d5a92}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);
background:var(--paper);max-width:68rem;margin:0 auto;padding:1.2rem 1rem 4rem}
a{color:var(--link)}nav{font-size:.9rem}nav a{margin-right:1rem}
h1{font-size:1.35rem;margin:.4rem 0;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .4rem}
h3{font-size:.95rem;margin:1rem 0 .3rem}
.dim{color:var(--dim);font-size:.87rem}.n{text-align:right}code{overflow-wrap:anywhere}
.verdict{font-size:1.1rem;font-weight:600;border-left:.35rem solid var(--good);
background:var(--card);padding:.6rem .9rem;margin:.6rem 0;overflow-wrap:anywhere}
.verdict.drift{border-color:var(--bad)}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:1rem 0;padding:0;list-style:none}
.facts b{display:block;font-size:1.2rem;font-variant-numeric:tabular-nums}
.facts span{color:var(--dim);font-size:.82rem}
table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--dim);font-weight:500;font-size:.8rem}
th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right}.wide{overflow-x:auto}.bad{color:var(--bad)}.good{color:var(--good)}
svg{display:block;max-width:100%}svg text{font:11px system-ui,sans-serif;fill:var(--dim)}
.now{stroke:var(--now)}.base{stroke:var(--base)}.prev{stroke:var(--prev);stroke-dasharray:4 3}
.now,.base,.prev,.spark{fill:none;stroke-width:1.8}.spark{stroke:var(--now);stroke-width:1.5}
.limit{stroke:var(--bad);stroke-dasharray:3 3;stroke-width:1}.band{fill:var(--now);opacity:.18}
.f-now{fill:var(--now)}.f-base{fill:var(--base)}.f-prev{fill:var(--prev)}.dot{fill:var(--now)}
.dot.over{fill:var(--bad)}.grid{stroke:var(--line)}
.key span{white-space:nowrap}.key i{display:inline-block;
width:1rem;height:.22rem;vertical-align:middle;margin:0 .35rem 0 .9rem}
details{border-bottom:1px solid var(--line)}summary{cursor:pointer;padding:.4rem 0}
summary:focus-visible,a:focus-visible,input:focus-visible{outline:2px solid var(--link);
outline-offset:2px}
.col>summary{display:grid;grid-template-columns:1rem minmax(8rem,1fr) 11rem 4rem 130px;
gap:.2rem .8rem;align-items:center;list-style:none;content-visibility:auto;
contain-intrinsic-height:44px}
.col>summary::-webkit-details-marker{display:none}
.col>summary:before{content:"▸";color:var(--dim)}.col[open]>summary:before{content:"▾"}
.col b{overflow-wrap:anywhere}.col.over>summary b,.col.over .value{color:var(--bad)}
.value{font-variant-numeric:tabular-nums;text-align:right}
.body{padding:.2rem 0 1rem 1.8rem;display:flex;flex-wrap:wrap;gap:.4rem 2rem}
figure{margin:.4rem 0}figcaption{color:var(--dim);font-size:.82rem}
input[type=search]{font:inherit;color:inherit;background:var(--card);border:1px solid var(--base);
border-radius:6px;padding:.3rem .6rem;width:min(22rem,100%)}
@media(max-width:40rem){body{padding:.8rem .8rem 3rem}
.col>summary{grid-template-columns:1rem 1fr auto;}.col .spark-cell{grid-column:2/-1}
.col .kind{grid-column:2;grid-row:2}.col .spark-cell{grid-row:3}.body{padding-left:0}}
"""


def document(title: str, body: str, script: str = "") -> str:
    """A whole page; `script` adds comfort only, everything is there without it."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}"
        f"{f'<script>{script}</script>' if script else ''}</body></html>\n"
    )


def link(words: str, address: str | None) -> str:
    """A link, or the words alone where there is nothing to link to."""
    if not address:
        return escape(words)
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def key(names: Iterable[tuple[str, str]], height: str = ".22rem") -> str:
    """Which colour of the style stands for what: (colour, words)."""
    return "".join(
        f'<span><i style="height:{height};background:var(--{colour})"></i>{escape(words)}</span>'
        for colour, words in names
    )


def table(heads: tuple[str, ...], rows: list[list[str]], *, texts: int = 1) -> str:
    """A table of ready HTML cells whose first `texts` columns are words, the others numbers."""
    if not rows:
        return ""
    sides = ["" if at < texts else ' class="n"' for at in range(len(heads))]
    head = "".join(f'<th scope="col"{s}>{name}</th>' for s, name in zip(sides, heads, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{s}>{cell}</td>' for s, cell in zip(sides, row, strict=True))}</tr>"
        for row in rows
    )
    rows_of = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{rows_of}</table></div>'


def number(value: object, unit: str = "") -> str:
    """A number in few digits; a dash for one that is not known."""
    if value is None or not isinstance(value, int | float) or math.isnan(value):
        return "–"
    return f"{value:,.4g}{unit}" if abs(value) < 1000 else f"{value:,.0f}{unit}"
