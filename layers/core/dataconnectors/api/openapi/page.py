"""The OpenAPI document as a page for people. It loads nothing and runs no script."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from dataconnectors.api.openapi import examples

STYLE = """
:root{color-scheme:light dark;--line:#8884;--dim:#888}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer;overflow-wrap:anywhere}
summary b{display:inline-block;min-width:4.2rem;font-family:monospace}
summary span{color:var(--dim)}
code,pre{font:14px/1.4 ui-monospace,monospace}
pre{overflow:auto;background:#8881;padding:.6rem;border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:15px}
td,th{border-top:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
td:first-child{white-space:nowrap}
nav a{margin-right:.6rem;white-space:nowrap}
"""

SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Keeps browsers from loading anything for the page, whatever the page contains."""

Document = Mapping[str, Any]


def render(document: Document) -> str:
    """The page as HTML."""
    info = document["info"]
    title = escape(info["title"])
    paragraphs = "".join(f"<p>{_prose(part)}</p>" for part in info["description"].split("\n\n"))
    tags = document["tags"]
    links = [f'<a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags]
    sections = "".join(_section(document, tag) for tag in tags)
    schemas = document["components"]["schemas"].items()
    objects = "".join(_schema(name, schema) for name, schema in schemas)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title} API</title><style>{STYLE}</style>"
        f"<h1>{title} API</h1>{paragraphs}"
        '<p>The same for programs: <a href="openapi.json">openapi.json</a>. The meaning of errors: '
        '<a href="errors">errors</a>.</p>'
        f'<nav>{"".join(links)}<a href="#schemas">Schemas</a></nav>'
        f"{_credentials(document)}{sections}"
        f'<h2 id="schemas">Schemas</h2>{objects}</html>'
    )


def _credentials(document: Document) -> str:
    schemes = document["components"]["securitySchemes"].values()
    ways = "".join(
        f"<li><code>Authorization: {each['scheme'].capitalize()} …</code> "
        f"{_prose(each['description'])}"
        for each in schemes
    )
    return (
        f"<h2>Credentials</h2><ul>{ways}</ul><p>The examples read the credentials and the address "
        "of this API from variables of the shell. The address is that of this page without "
        "<code>/docs</code>.</p>"
        "<pre>API=http://127.0.0.1:8000/v2\nKEY=&lt;key id&gt;:&lt;secret&gt;\n"
        "PROJECT=&lt;project id&gt;</pre>"
    )


def _section(document: Document, tag: Mapping[str, str]) -> str:
    operations = "".join(
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    about = _prose(tag["description"])
    return f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"])}</h2><p>{about}</p>{operations}'


def _operation(document: Document, path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    rows = [
        (f"<code>{escape(each['name'])}</code> in {each['in']}", _type(each["schema"]), each)
        for each in parameters
    ]
    table = _table((name, kind, _prose(each["description"])) for name, kind, each in rows)
    answers = _table(_answer(document, code, each) for code, each in operation["responses"].items())
    return (
        f'<details id="{operation["operationId"]}"><summary><b>{method.upper()}</b> '
        f"<code>{escape(path)}</code> <span>{_prose(operation['summary'])}</span></summary>"
        f"<p>{_prose(operation.get('description', ''))}</p>{table}"
        f"{_request(document, path, method, operation)}{answers}</details>"
    )


def _request(document: Document, path: str, method: str, operation: Mapping[str, Any]) -> str:
    """What the body is, and an example of a call with curl."""
    # `KEY` holds the credentials, as in the README, so the id of a key needs another name.
    address = re.sub(r"\{(\w+)\}", lambda found: f"${found[1].upper()}", path)
    address = address.replace("$KEY", "$KEY_ID")
    call = "curl" + (f" -X {method.upper()}" if method not in ("get", "post") else "")
    if "security" not in operation:
        call += ' -u "$KEY"'
    call += f' "$API{address}"'
    if "requestBody" not in operation:
        return f"<pre>{escape(call + (' -X POST' if method == 'post' else ''))}</pre>"
    ((media_type, content),) = operation["requestBody"]["content"].items()
    (example, *_) = _resolved(document, content["schema"])["examples"]
    if media_type == "application/json":
        call += f" -d '{_in_shell(json.dumps(example, indent=2))}'"
    else:
        call += "".join(f' --data-urlencode "{name}={text}"' for name, text in example.items())
    return f"<p>Body: {_type(content['schema'])}</p><pre>{escape(call)}</pre>"


def _in_shell(text: str) -> str:
    """An example between single quotes, with variables of the shell in the place of its ids."""
    for example, known in _SHELL.items():
        text = text.replace(example, f"'\"{known}\"'")
    return text


_SHELL = {
    examples.PROJECT: "$PROJECT",
    examples.DEVICE: "$DEVICE",
    examples.ACCOUNT: "$ACCOUNT",
    examples.TIME: "$(date -u +%FT%TZ)",
}


def _answer(document: Document, status: str, answer: Mapping[str, Any]) -> tuple[str, str, str]:
    answer = _resolved(document, answer)
    (content,) = answer["content"].values()
    return status, _type(content["schema"]), _prose(answer["description"])


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    example = "".join(
        f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in schema.get("examples", ())
    )
    return (
        # A browser opens the details when a link leads to an element inside of them, not when it
        # leads to the details themselves: so the id is on the inner element.
        f'<details><summary><code>{name}</code></summary><div id="schema-{name}">'
        f"<p>{_prose(schema.get('description', ''))}</p>"
        f"{_table(_properties(schema)) or f'<p>{_type(schema)}</p>'}{example}</div></details>"
    )


def _properties(schema: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str, str]]:
    """A row for each property of an object, followed by the rows of its own properties."""
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        optional = "" if name in required else " <i>optional</i>"
        about = _prose(each.get("description", ""))
        yield f"<code>{within}{escape(name)}</code>{optional}", _type(each), about
        yield from _properties(each, f"{within}{escape(name)}.")
        yield from _properties(each.get("items", {}), f"{within}{escape(name)}[].")


_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minProperties": "at least {}",
    "maxProperties": "at most {}",
}


def _type(schema: Mapping[str, Any]) -> str:
    """The type of a schema's values, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return ", ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    kinds = schema.get("type", "anything")
    words, *others = kinds if isinstance(kinds, list) else [kinds]
    if "items" in schema:
        words = f"list of {_type(schema['items'])}"
    elif isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
        words = f"object of {_type(schema['additionalProperties'])}"
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    of_these = f" ({', '.join(limits)})" if limits else ""
    return " or ".join([words + of_these, *others])


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["<tr><td>" + "<td>".join(row) for row in rows]
    return f"<table>{''.join(lines)}</table>" if lines else ""


def _resolved(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, or the part of the document that it refers to."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
