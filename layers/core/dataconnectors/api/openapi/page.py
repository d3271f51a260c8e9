"""The OpenAPI document as a page for people. It loads nothing and runs no script."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from dataconnectors.api import html_page
from dataconnectors.api.openapi import examples

STYLE = """\
.columns{display:grid;gap:1.5rem 3.5rem}
.side a{display:block;padding:.25rem .75rem;border-radius:.375rem;color:var(--dim);
text-decoration:none;font-size:.875rem}
.side a:hover{background:var(--sunken);color:var(--ink)}
.side ul{list-style:none;margin:0 -.75rem;padding:0;display:flex;flex-wrap:wrap}
@media(min-width:60rem){.columns{grid-template-columns:11rem minmax(0,1fr)}
.side>ul{display:block;position:sticky;top:5.5rem;max-height:calc(100vh - 7rem);overflow:auto}}
details{margin:.5rem 0}
summary{display:grid;grid-template-columns:4.25rem minmax(0,1fr);gap:0 .75rem;align-items:baseline;
padding:.625rem 1rem;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary:hover{background:var(--sunken);border-radius:.5625rem}
summary>span{color:var(--dim);grid-column:2}
summary>code{font-size:.8125rem}
.schema summary{grid-template-columns:minmax(0,1fr)}
.schema summary>span{grid-column:1}
@media(min-width:75rem){summary{grid-template-columns:4.25rem minmax(0,1fr) auto}
summary>span{grid-column:3;text-align:right}.schema summary{grid-template-columns:16rem 1fr}
.schema summary>span{grid-column:2;text-align:left}}
.open{border-top:1px solid var(--line);padding:1rem;scroll-margin-top:9rem}
.open>:first-child,.open>div>:first-child{margin-top:0}
@media(min-width:75rem){.call{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,28rem);
gap:2rem}}
summary b{font:600 .6875rem/1.5rem var(--mono);letter-spacing:.03em;text-align:center;
border-radius:.3125rem;background:var(--sunken);border:1px solid var(--line)}
.get{color:var(--accent)}.post{color:var(--good)}.patch,.put{color:var(--warm)}.delete{color:var(--bad)}
dl>div{padding:.5rem 0;border-top:1px solid var(--line)}
dl>div:first-child{border-top:0;padding-top:0}
"""
"""What this page has besides the frame's: a list of sections, and operations that open."""

Document = Mapping[str, Any]


def render(document: Document, origin: str) -> html_page.Page:
    """The page, and its security policy. `origin` is what the samples call, such as https://host.

    The page lists its sections beside the text, or above it where the window is narrow.
    """
    info = document["info"]
    paragraphs = "".join(f"<p>{_prose(part)}</p>" for part in info["description"].split("\n\n"))
    tags = document["tags"]
    named = [("credentials", "Credentials"), *((_anchor(tag["name"]), tag["name"]) for tag in tags)]
    links = "".join(
        f'<li><a href="#{anchor}">{escape(name)}</a>'
        for anchor, name in (*named, ("schemas", "Schemas"))
    )
    sections = "".join(_section(document, tag) for tag in tags)
    schemas = document["components"]["schemas"].items()
    objects = "".join(_schema(name, schema) for name, schema in schemas)
    return html_page.build(
        f"{info['title']} API",
        "docs",
        f"{paragraphs}"
        '<p>The same for programs: <a href="openapi.json">openapi.json</a>. The meaning of errors: '
        '<a href="errors">errors</a>.</p>'
        f"{_credentials(document, origin)}{sections}"
        f'<section id="schemas"><h2>Schemas</h2>{objects}</section>',
        style=STYLE,
        side=f'<nav class="side" aria-label="Sections"><ul>{links}</ul></nav>',
    )


def _credentials(document: Document, origin: str) -> str:
    schemes = document["components"]["securitySchemes"].values()
    ways = _list(
        (
            f"<code>Authorization: {each['scheme'].capitalize()} …</code>",
            _prose(each["description"]),
        )
        for each in schemes
    )
    (server,) = document["servers"]
    return (
        f'<section id="credentials"><h2>Credentials</h2>{ways}<h3>Variables of the examples</h3>'
        "<p>The examples read the address of this API and the credentials from variables of the "
        f"shell.</p><pre>API={escape(origin + server['url'])}\nKEY=&lt;key id&gt;:&lt;secret&gt;\n"
        "PROJECT=&lt;project id&gt;</pre></section>"
    )


def _section(document: Document, tag: Mapping[str, str]) -> str:
    operations = "".join(
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    name, about = tag["name"], _prose(tag["description"])
    return (
        f'<section id="{_anchor(name)}"><h2>{escape(name)}</h2><p>{about}</p>{operations}</section>'
    )


def _operation(document: Document, path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    fields = _list(
        (
            _named(each["name"], _type(each["schema"]), f"in {each['in']}"),
            _prose(each["description"]),
        )
        for each in parameters
    )
    about = _prose(operation.get("description", ""))
    body, sample = _request(document, path, method, operation)
    answers = _list(_answer(document, code, each) for code, each in operation["responses"].items())
    return (
        f'<details class="card"><summary><b class="{method}">{method.upper()}</b>'
        f"<code>{_breakable(path)}</code><span>{_prose(operation['summary'])}</span></summary>"
        # A browser opens the details when a link leads to an element inside of them, not when it
        # leads to the details themselves: so the id is on the inner element.
        f'<div class="open call" id="{operation["operationId"]}"><div>'
        f"{f'<p>{about}</p>' if about else ''}"
        f"{f'<h3>Parameters</h3>{fields}' if fields else ''}"
        f"{f'<h3>Body</h3><p>{body}</p>' if body else ''}<h3>Answers</h3>{answers}</div>"
        f"<div><h3>Example</h3><pre>{_breakable(sample)}</pre></div></div></details>"
    )


def _request(
    document: Document, path: str, method: str, operation: Mapping[str, Any]
) -> tuple[str, str]:
    """The type of the body, "" without one, and an example of a call with curl."""
    # `KEY` holds the credentials, as in the README, so the id of a key needs another name.
    address = re.sub(r"\{(\w+)\}", lambda found: f"${found[1].upper()}", path)
    address = address.replace("$KEY", "$KEY_ID")
    call = "curl" + (f" -X {method.upper()}" if method not in ("get", "post") else "")
    if "security" not in operation:
        call += ' -u "$KEY"'
    call += f' \\\n  "$API{address}"'
    if "requestBody" not in operation:
        return "", call + (" -X POST" if method == "post" else "")
    ((media_type, content),) = operation["requestBody"]["content"].items()
    (example, *_) = _resolved(document, content["schema"])["examples"]
    if media_type == "application/json":
        call += f" \\\n  -d '{_in_shell(json.dumps(example, indent=2))}'"
    else:
        call += "".join(
            f' \\\n  --data-urlencode "{name}={text}"' for name, text in example.items()
        )
    return _type(content["schema"]), call


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


def _answer(document: Document, status: str, answer: Mapping[str, Any]) -> tuple[str, str]:
    answer = _resolved(document, answer)
    (content,) = answer["content"].values()
    return _named(status, _type(content["schema"])), _prose(answer["description"])


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    examples = "".join(
        f"<h3>Example</h3><pre>{escape(json.dumps(each, indent=2))}</pre>"
        for each in schema.get("examples", ())
    )
    about = _prose(schema.get("description", ""))
    fields = _list(_properties(schema)) or f"<p>{_type(schema)}</p>"
    return (
        f'<details class="card schema"><summary><code>{name}</code>'
        f"{f'<span>{about}</span>' if about else ''}</summary>"
        f'<div class="open{" call" if examples else ""}" id="schema-{name}"><div>{fields}</div>'
        f"{f'<div>{examples}</div>' if examples else ''}</div></details>"
    )


def _properties(schema: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """An entry for each property of an object, followed by those of its own properties."""
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        remark = "" if name in required else "optional"
        yield _named(within + name, _type(each), remark), _prose(each.get("description", ""))
        yield from _properties(each, f"{within}{name}.")
        yield from _properties(each.get("items", {}), f"{within}{name}[].")


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


def _named(name: str, kind: str, remark: str = "") -> str:
    """The head of an entry: a name, what its values are, which is HTML, and a remark."""
    remarks = f"<span>{remark}</span>" if remark else ""
    return f"<code>{escape(name)}</code><span>{kind}</span>{remarks}"


def _list(entries: Iterable[tuple[str, str]]) -> str:
    """A list of what is described, with its description; both are HTML. "" without entries."""
    items = "".join(f"<div><dt>{head}</dt><dd>{about}</dd></div>" for head, about in entries)
    return f"<dl>{items}</dl>" if items else ""


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


def _breakable(text: str) -> str:
    """Text that may continue on a new line behind each of its slashes."""
    return escape(text).replace("/", "/<wbr>")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
