"""The page `/docs`, made from `/openapi.json`: every operation with its parameters, examples and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

from fechatter.api.contract import types
from fechatter.api.contract.markup import code, inline, json, page, prose, table

Json = dict[str, Any]


def docs_page(document: Json) -> bytes:
    """Return the page `/docs` for the OpenAPI document."""
    groups = {tag["name"]: tag["description"] for tag in document["tags"]}
    by_group: dict[str, list[tuple[str, str, Json]]] = {name: [] for name in groups}
    for path, method, operation in _operations(document):
        by_group[operation["tags"][0]].append((path, method, operation))
    sections = [_group(document, name, groups[name], found) for name, found in by_group.items()]
    info = document["info"]
    start = f"<h1>Fechatter API <small>{escape(info['version'])}</small></h1>{prose(info['description'])}"
    content = [start, *sections, _live(document), types.section(document)]
    return page("Fechatter API", _navigation(by_group), "\n".join(content))


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _navigation(by_group: dict[str, list[tuple[str, str, Json]]]) -> str:
    made = ""
    for name, found in by_group.items():
        named = [(each["operationId"], escape(each["summary"])) for _, _, each in found]
        links = "".join(f'<li><a href="#{identity}">{summary}</a></li>' for identity, summary in named)
        made += f'<h2><a href="#{name}">{_title(name)}</a></h2><ul>{links}</ul>'
    return made + '<h2><a href="#live">Live stream</a></h2><h2><a href="#types">Types</a></h2>'


def _title(name: str) -> str:
    return escape(name.capitalize())


def _group(document: Json, name: str, description: str, found: list[tuple[str, str, Json]]) -> str:
    articles = "\n".join(_operation(document, path, method, operation) for path, method, operation in found)
    return f'<section id="{name}"><h2>{_title(name)}</h2>{prose(description)}\n{articles}</section>'


def _operation(document: Json, path: str, method: str, operation: Json) -> str:
    name = operation["operationId"]
    security = operation["security"]
    open_to_all = "" if security and {} not in security else '<p class="open">Needs no sign-in.</p>'
    return f"""<article id="{name}">
<h3><a href="#{name}">{escape(operation["summary"])}</a></h3>
<p class="call"><span class="method {method}">{method.upper()}</span> <code>{escape(path)}</code></p>
{open_to_all}{prose(operation.get("description", ""))}
{_parameters(document, operation)}{_body(document, operation)}
<h4>Try it</h4>{code(curl(document, path, method, operation), "Command")}
{_answers(operation)}{_refusals(document, operation)}
</article>"""


def _parameters(document: Json, operation: Json) -> str:
    rows = []
    for given in operation.get("parameters", []):
        found = resolve(document, given)
        note = " <em>required</em>" if found.get("required") and found["in"] != "path" else ""
        shown = [f"<code>{escape(found['name'])}</code>{note}", escape(found["in"]), types.shown(found["schema"])]
        rows.append([*shown, inline(found.get("description", ""))])
    return table(["Parameter", "In", "Type", "Description"], rows)


def _body(document: Json, operation: Json) -> str:
    if "requestBody" not in operation:
        return ""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return f"<h4>Body: {types.shown(schema)}</h4>{types.fields(resolve(document, schema), requests=True)}"


def _answers(operation: Json) -> str:
    made = ""
    for status, answer in operation["responses"].items():
        if "$ref" in answer or int(status) >= 500:
            continue
        for content in answer.get("content", {}).values() or [{}]:
            shown = types.shown(content["schema"]) if content else ""
            made += f"<h4>{status} {inline(answer['description'])} {shown}</h4>"
            example = content.get("example")
            if example is not None:
                made += code(example if isinstance(example, str) else json(example), f"Answer {status}")
    return made


def _refusals(document: Json, operation: Json) -> str:
    made = ""
    for status, answer in operation["responses"].items():
        examples = resolve(document, answer).get("content", {}).get("application/problem+json", {}).get("examples", {})
        links = ", ".join(f'<a href="/docs/problems#{name}"><code>{name}</code></a>' for name in examples)
        made += f"<li>{status}: {links}</li>" if examples else ""
    return f'<details class="refusals"><summary>Refusals</summary><ul>{made}</ul></details>'


def curl(document: Json, path: str, method: str, operation: Json) -> str:
    """Return the operation's example as a command, with the server's address `$FECHATTER` and the token `$TOKEN`."""
    query = []
    for given in operation.get("parameters", []):
        found = resolve(document, given)
        example = found["schema"].get("examples", [""])[0]
        path = path.replace(f"{{{found['name']}}}", str(example))
        if found["in"] == "query" and found["required"]:
            query.append(f"{found['name']}={example}")
    parts = ["curl"] + ([] if method == "get" else ["-X", method.upper()])
    parts += ["-N"] if operation["operationId"] == "streamEvents" else []
    lines = [" ".join([*parts, f'"$FECHATTER{path}{"?" if query else ""}{"&".join(query)}"'])]
    if operation["security"] and {} not in operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        text = msgspec.json.encode(example).decode().replace("'", "'\\''")
        lines += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
    return " \\\n  ".join(lines)


def resolve(document: Json, part: Json) -> Json:
    """Return the object that `part` refers to, or `part` itself if it is not a reference."""
    if "$ref" not in part:
        return part
    found = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _live(document: Json) -> str:
    """Return the section about the frames of the stream."""
    stream = document["paths"]["/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    rows = []
    for name, schema in stream["x-frames"].items():
        description = resolve(document, schema).get("description", "")
        rows.append([f"<code>{name}</code>", types.shown(schema), inline(description)])
    return f"""<section id="live"><h2>Live stream</h2>
<p>Connect with <a href="#streamEvents"><code>GET /events</code></a>. Each block has an <code>event:</code>, JSON in
<code>data:</code>, and an <code>id:</code> if it moves your cursor. A block with only an <code>id:</code> is a
heartbeat: store that id too. The data of a block is one line. If you cannot process a block, do not store its id; then
the block is sent again.</p>
<ol><li>Load <a href="#sync"><code>GET /api/sync</code></a> and show its contents.</li>
<li>Open the stream with its <code>cursor</code> as <code>Last-Event-ID</code>. The events since then are
replayed, then <code>resumed</code> follows.</li>
<li>Apply the events in order. An API response with the header <code>Event-Cursor</code> includes every event up to that
cursor: the events whose <code>seq</code> is at most the number after the cursor's last dot.</li>
<li>When the connection breaks, or after <code>closing</code>, connect again. Send the newest <code>id:</code>, and
send the <code>Event-Cursor</code>s of your responses in that header. After <code>reset</code> load
<code>/api/sync</code> again; the stream continues. Ignore the responses to requests that you sent earlier.</li></ol>
{code(stream["example"].rstrip(), "A stream")}
{table(["Frame", "Data", "Description"], rows)}</section>"""
