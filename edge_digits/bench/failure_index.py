"""The page that shows in a minute what goes wrong: mistakes by cause and by kind, what is taken for what, and every wrong page."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final

from edge_digits.bench.evaluation import EvaluatedPage
from edge_digits.bench.failure_picture import COLOURS
from edge_digits.bench.mistakes import CAUSES, CONFUSED, MISSING, Step, count_causes, count_confusions

MOST_CONFUSIONS: Final = 20
MEANING: Final = {
    "missing": "stands there, nothing was read",
    "extra": "was read, nothing stands there",
    "confused": "was read as another digit",
    "unsure": 'was found and left open as "?"',
}


def _css(cause: str | None) -> str:
    blue, green, red = COLOURS[cause]
    return f"#{red:02x}{green:02x}{blue:02x}"


HEAD: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pages read wrongly</title>
<style>
body { font: 15px system-ui, sans-serif; margin: 2em; max-width: 90em }
img { max-width: 100%; border: 1px solid #999 }
section { margin: 2em 0; border-top: 1px solid #ccc }
td, th { padding: 0.15em 1em 0.15em 0; text-align: left; vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.bar { display: inline-block; height: 0.8em }
.side { display: flex; flex-wrap: wrap; gap: 0 4em }
.small { display: flex; flex-wrap: wrap; gap: 1em }
.small a { width: 260px; font-size: 13px; color: inherit }
.digits { font: 17px ui-monospace, monospace; border-collapse: collapse; margin: 0.5em 0 }
.digits td { padding: 0 0.12em; min-width: 0.6em; height: 1.3em }
.digits th { font: 13px system-ui, sans-serif; color: #666; padding-right: 1em }
"""


def picture_name(page: EvaluatedPage) -> str:
    """File of the page's picture with its mistakes marked."""
    return f"{_flat(page)}.read.jpg"


def thumbnail_name(page: EvaluatedPage) -> str:
    """File of its small copy."""
    return f"{_flat(page)}.small.jpg"


def index_html(wrong: Sequence[EvaluatedPage], total: int) -> str:
    """The whole document. wrong : pages with a mistake. total : pages that were read."""
    ordered = sorted(wrong, key=lambda page: (-page.score.errors, page.truth.name))
    colours = (
        "".join(f".{cause} {{ color: {_css(cause)}; font-weight: bold }}\n" for cause in CAUSES) + f".right {{ color: {_css(None)} }}\n"
    )
    parts = [
        HEAD,
        colours,
        "</style>\n",
        f"<h1>{len(ordered)} of {total} pages read wrongly</h1>\n",
        f'<div class="side">{_by_cause(ordered)}{_confusions(ordered)}{_by_kind(ordered)}</div>\n',
        f'<h2>Worst first</h2>\n<div class="small">{"".join(map(_thumbnail, ordered))}</div>\n',
        *map(_section, ordered),
        "</html>\n",
    ]
    return "".join(parts)


def _by_cause(pages: Sequence[EvaluatedPage]) -> str:
    counts = count_causes(page.mistakes for page in pages)
    most = max([*counts.values(), 1])
    total = sum(counts.values())
    rows = [
        f'<tr><td class="{cause}">{cause}</td><td class="n">{count}</td><td class="n">{_percent(count, total)}</td>'
        f'<td><span class="bar" style="width:{120 * count // most}px;background:{_css(cause)}"></span></td><td>{MEANING[cause]}</td></tr>\n'
        for cause, count in counts.items()
    ]
    return _table(f"{total} digits by cause", ["", "digits", "share", "", ""], rows)


def _confusions(pages: Sequence[EvaluatedPage]) -> str:
    found = count_confusions(page.mistakes for page in pages)[:MOST_CONFUSIONS]
    rows = []
    for truth, read, count in found:
        where = [page for page in pages if page.mistakes.confusions[truth, read]]
        links = ", ".join(f'<a href="#{_anchor(page)}">{_escape(page.truth.name)}</a>' for page in where[:6])
        rows.append(f'<tr><td><b>{truth}</b> read <b class="{CONFUSED}">{read}</b></td><td class="n">{count}</td><td>{links}</td></tr>\n')
    return _table("Taken for another", ["", "digits", "pages"], rows) if rows else ""


def _by_kind(pages: Sequence[EvaluatedPage]) -> str:
    kinds: dict[str, list[EvaluatedPage]] = {}
    for page in pages:
        kinds.setdefault(page.truth.kind or "no kind", []).append(page)
    rows = []
    for kind, members in sorted(kinds.items(), key=lambda entry: -sum(page.score.errors for page in entry[1])):
        counts = count_causes(page.mistakes for page in members)
        cells = "".join(f'<td class="n">{counts[cause] or ""}</td>' for cause in CAUSES)
        rows.append(f'<tr><td>{_escape(kind)}</td><td class="n">{len(members)}</td>{cells}</tr>\n')
    return _table("By kind of page", ["", "wrong pages", *CAUSES], rows)


def _table(title: str, heading: Sequence[str], rows: Iterable[str]) -> str:
    cells = "".join(f"<th>{word}</th>" for word in heading)
    return f"<div><h2>{title}</h2>\n<table><tr>{cells}</tr>\n{''.join(rows)}</table></div>\n"


def _thumbnail(page: EvaluatedPage) -> str:
    picture = "" if page.reading is None else f'<img loading="lazy" src="{_escape(thumbnail_name(page))}" alt=""><br>'
    return f'<a href="#{_anchor(page)}">{picture}{_escape(page.truth.name)}: {page.score.errors:g} of {page.score.digits}</a>\n'


def _section(page: EvaluatedPage) -> str:
    facts = ", ".join(filter(None, [page.truth.kind, page.truth.difficulty, page.truth.half]))
    causes = ", ".join(
        f'<span class="{cause}">{page.mistakes.causes[cause]} {cause}</span>' for cause in CAUSES if page.mistakes.causes[cause]
    )
    counts = f"{page.score.errors:g} errors in {page.score.digits} digits: {causes}; {_escape(facts)}"
    heading = f"<h2>{_escape(page.truth.name)}</h2>\n<p>{counts}</p>\n"
    name = _escape(picture_name(page))
    body = f"<p>{_escape(str(page.error))}</p>\n" if page.error else f'<a href="{name}"><img loading="lazy" src="{name}" alt=""></a>\n'
    return f'<section id="{_anchor(page)}">{heading}{body}{"".join(map(_row, page.mistakes.rows))}</section>\n'


def _row(row: Sequence[Step]) -> str:
    """What stands there above what was read, digit under digit."""
    true = "".join(f'<td class="{MISSING if step.cause == MISSING else "right"}">{_escape(step.truth)}</td>' for step in row)
    read = "".join(f'<td class="{step.cause or "right"}">{_escape(step.read)}</td>' for step in row)
    return f'<table class="digits"><tr><th>stands there</th>{true}</tr><tr><th>was read</th>{read}</tr></table>\n'


def _flat(page: EvaluatedPage) -> str:
    return page.truth.name.replace("/", "-").replace("\\", "-")


def _anchor(page: EvaluatedPage) -> str:
    return _escape("page-" + page.truth.name.replace(" ", "_"))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
