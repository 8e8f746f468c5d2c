"""The page of all problem codes, made from the tables in `codes.py`."""

from __future__ import annotations

from fechatter.api.contract.markup import code, inline, json, page, table
from fechatter.api.contract.refusals import by_status, title
from fechatter.codes import FIELDS, PROBLEMS


def problems_page(example: object) -> bytes:
    """Return the page of all codes by their status; `example` is a problem's JSON."""
    groups = by_status(name for name, code in PROBLEMS.items() if code.public)
    sections = "\n".join(_status(status, names) for status, names in groups.items())
    rows = [[_anchor(f"field-{name}", name), inline(means)] for name, means in FIELDS.items()]
    fields = table(["Code", "Meaning"], rows)
    content = f"""<h1>Problems</h1>
<p>A refusal is <code>application/problem+json</code> (RFC 9457). Programs use <code>code</code>, which is stable.
<code>detail</code> is a sentence for people and may change. To report an error, send the <code>request_id</code> to
the server's operator.</p>
{code(json(example), "A problem")}
{sections}
<section id="fields"><h2>422: errors of single values</h2>
<p>The problem <a href="#invalid"><code>invalid</code></a> lists each refused value in <code>errors</code>, with a
<code>pointer</code> (a JSON Pointer into the body, or <code>?name</code> of a parameter) and one of these
codes.</p>{fields}</section>"""
    links = "".join(f'<li><a href="#status-{status}">{status} {title(status)}</a></li>' for status in groups)
    return page(
        "Problems: Fechatter API", f'<ul>{links}<li><a href="#fields">Errors of single values</a></li></ul>', content
    )


def _status(status: int, names: list[str]) -> str:
    rows = [[_anchor(name, name), inline(PROBLEMS[name].means), inline(PROBLEMS[name].remedy)] for name in names]
    shown = table(["Code", "Meaning", "Remedy"], rows)
    return f'<section id="status-{status}"><h2>{status} {title(status)}</h2>{shown}</section>'


def _anchor(identity: str, name: str) -> str:
    return f'<a id="{identity}" href="#{identity}"><code>{name}</code></a>'
