"""How pages look, light and dark; text that carries markup becomes HTML here."""

from __future__ import annotations

import functools
import html

_STYLE = """
:root{--ink:#1c2330;--soft:#5b6675;--paper:#fff;--card:#f6f7f9;--line:#dfe3e8;--accent:#1f6feb;
--good:#1a7f37;--bad:#cf222e;--warn:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e3e8ef;--soft:#97a3b3;--paper:#0f141b;
--card:#171e27;--line:#2a3441;--accent:#6cb0ff;--good:#4ac26b;--bad:#ff7b72;--warn:#d4a72c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1060px;padding:2rem 1.2rem 4rem;background:var(--paper);
color:var(--ink);font:15px/1.55 system-ui,-apple-system,Segoe UI,sans-serif}
a{color:var(--accent)}h1{font-size:1.5rem;margin:.2rem 0}.soft{color:var(--soft)}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,Menlo,monospace}
.cell{margin:1rem 0;border:1px solid var(--line);border-radius:8px;overflow:hidden}
.cell>.code{background:var(--card);padding:.7rem .9rem}.cell>.title{padding:.4rem .9rem;
font-weight:600}.out{padding:.7rem .9rem;overflow-x:auto;border-top:1px solid var(--line)}
.out img{max-width:100%;background:#fff;border-radius:4px}.md{margin:1rem 0}
.took{float:right;color:var(--soft);font-size:12px}
iframe{display:block;width:100%;height:320px;border:0;color-scheme:light dark}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
.out table{width:max-content}.out td{max-width:26rem}.trace{color:var(--bad)}
.md code{background:var(--card);border-radius:4px;padding:.1em .3em}
.error{border-left:4px solid var(--bad);padding:.6rem .9rem;background:var(--card);margin:1rem 0}
.state{font-weight:600}.SUCCESS,.SUCCESS_WITH_FAILURES{color:var(--good)}
.FAILED,.TIMEDOUT,.CANCELED,.KILLED{color:var(--bad)}
.UPSTREAM_FAILED,.SKIPPED,.EXCLUDED,.DISABLED,.PENDING,.RUNNING{color:var(--warn)}
details{margin:1rem 0}summary{cursor:pointer;color:var(--soft)}
"""

# Markup of a notebook stands in a sandbox of its own, which tells this page how high it is.
_FRAME = """<style>:root{color-scheme:light dark}body{margin:0;display:flow-root;
font:15px/1.55 system-ui,-apple-system,Segoe UI,sans-serif}</style><script>new ResizeObserver(()=>
parent.postMessage({height:document.body.scrollHeight},"*")).observe(document.body)</script>"""
_FIT = """<script>addEventListener("message",told=>{for(const frame of
document.querySelectorAll("iframe"))if(frame.contentWindow===told.source&&told.data.height>0)
frame.style.height=Math.min(told.data.height,2000)+"px"})</script>"""


@functools.cache
def style() -> str:
    """The style sheet, with the colours of code for both schemes."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    plain = ".code,.code pre{background:var(--card)}"
    return f"{_STYLE}{light}@media(prefers-color-scheme:dark){{{dark}}}{plain}"


def document(title: str, body: str) -> str:
    """A whole page that needs nothing but itself."""
    fit = _FIT if "<iframe" in body else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{style()}</style>{fit}</head>"
        f"<body>{body}</body></html>\n"
    )


def framed(markup: str) -> str:
    """Markup as a page in the page, as high as it is, that can't reach what is around it."""
    return f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(markup + _FRAME)}"></iframe>'


def code(source: str, language: str) -> str:
    """Highlighted code."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    names = {"python": "python", "sql": "sql"}
    lexer = get_lexer_by_name(names.get(language, "bash"))
    return highlight(source, lexer, HtmlFormatter(nowrap=True))


def markdown(text: str) -> str:
    """Markdown as HTML; markup inside it stays text."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
