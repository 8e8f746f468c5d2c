"""Renders the Markdown of our descriptions as HTML, and the layout that all pages share."""

from __future__ import annotations

import re
from html import escape

import msgspec

_INLINE = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|\[(?P<text>[^\]]+)\]\((?P<link>[^)]+)\)")


def prose(text: str) -> str:
    """Render paragraphs and lists."""
    return "".join(_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block)


def _block(block: str) -> str:
    if block.startswith("* "):
        lines = [line for line in re.split(r"(?:^|\n)\* ", block) if line]
        return "<ul>" + "".join(f"<li>{inline(line)}</li>" for line in lines) + "</ul>"
    return f"<p>{inline(block)}</p>"


def inline(text: str) -> str:
    """Render code, bold text and links."""
    made, end = "", 0
    for found in _INLINE.finditer(text):
        made += escape(text[end : found.start()]) + _span(found)
        end = found.end()
    return made + escape(text[end:])


def _span(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{escape(found['code'])}</code>"
    if found["bold"]:
        return f"<strong>{escape(found['bold'])}</strong>"
    return f'<a href="{escape(found["link"])}">{inline(found["text"])}</a>'


def code(text: str, label: str) -> str:
    """Return a block of code that scrolls by itself and can be reached with the keyboard."""
    return f'<pre tabindex="0" role="region" aria-label="{escape(label)}"><code>{escape(text)}</code></pre>'


def json(value: object) -> str:
    """Return indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table whose cells are HTML, or "" if there are no rows."""
    if not rows:
        return ""
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    shown = f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{head[0]}">{shown}</div>'


def page(title: str, navigation: str, content: str) -> bytes:
    """Return a whole page; `navigation` and `content` are HTML."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><a class="home" href="/docs">Fechatter API</a>
<nav aria-label="Pages"><a href="/docs">Operations</a><a href="/docs#live">Live stream</a>\
<a href="/docs/problems">Problems</a><a href="/openapi.json">openapi.json</a></nav></header>
<div class="columns">
<nav class="side" aria-label="On this page">{navigation}</nav>
<main id="content">
{content}
</main>
</div>
</body>
</html>
""".encode()
