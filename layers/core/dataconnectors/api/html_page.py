"""The frame of the API's pages for people: one look, which is the console's, and no script."""

import base64
import hashlib
from html import escape

STYLE = """\
:root{color-scheme:light dark;
--page:light-dark(#f7f7f9,#101114);--surface:light-dark(#fff,#17181c);
--sunken:light-dark(#f3f3f6,#1f2026);--line:light-dark(#e3e3e8,#2b2d35);
--ink:light-dark(#191a20,#edeef2);--dim:light-dark(#5d606c,#a0a3b0);
--accent:light-dark(#4b49d6,#a3a1ff);--good:light-dark(#0b6e44,#5fd39c);
--warm:light-dark(#8a5300,#f0b35a);--bad:light-dark(#b3261e,#ff8f86);
--mono:ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
*{box-sizing:border-box}
html{scroll-padding-top:5rem}
@media(min-width:120em){html{font-size:112.5%}}
body{margin:0;background:var(--page);color:var(--ink);
font:.9375rem/1.6 Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-feature-settings:"cv11","ss03"}
a{color:var(--accent);text-underline-offset:.2em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:.25rem}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;z-index:2;padding:.5rem 1rem;background:var(--surface)}
.bar{position:sticky;top:0;z-index:1;background:var(--surface);border-bottom:1px solid var(--line)}
.bar>div{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 2rem;min-height:3.5rem;
padding-block:.5rem}
.bar>div,.columns{max-width:84rem;margin-inline:auto;padding-inline:clamp(1rem,3vw,2rem)}
.bar b{display:flex;align-items:center;gap:.625rem;font-weight:600;letter-spacing:-.01em;
white-space:nowrap}
.bar svg{width:1.5rem;height:1.5rem}
.bar nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
.bar a{color:var(--dim);text-decoration:none;padding-block:.25rem}
.bar a:hover,.bar a[aria-current]{color:var(--ink)}
.bar a[aria-current]{font-weight:550;box-shadow:0 2px var(--accent)}
.columns{padding-block:2rem 5rem}
main{min-width:0}
h1{font-size:1.75rem;line-height:1.25;letter-spacing:-.02em;font-weight:650;margin:0 0 .75rem}
h2{font-size:1.25rem;line-height:1.3;letter-spacing:-.01em;font-weight:650;margin:0 0 .5rem}
h3{font-size:.8125rem;font-weight:600;margin:1.5rem 0 .5rem}
p{margin:0 0 .75rem;max-width:44rem}
section{padding-top:2.5rem}
code,pre{font-family:var(--mono);font-size:.8125rem;font-variant-ligatures:none;
font-feature-settings:normal}
code{overflow-wrap:anywhere}
pre{margin:0;padding:.75rem 1rem;background:var(--sunken);border:1px solid var(--line);
border-radius:.5rem;line-height:1.55;white-space:pre-wrap;overflow-wrap:anywhere}
dl{margin:0}
dt{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .625rem}
dt code{font-weight:600}
dt span,dd{color:var(--dim)}
dt span{font-size:.8125rem}
dd{margin:0}
.card{background:var(--surface);border:1px solid var(--line);border-radius:.625rem}
"""

MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" '
    'fill="#4b49d6"/><path d="M8 16h7m0 0 8-6m-8 6 8 6m-8-6h8" fill="none" stroke="#fff" '
    'stroke-width="2.2" stroke-linecap="round"/><circle cx="8.5" cy="16" r="2.6" fill="#fff"/>'
    '<circle cx="24" cy="9.6" r="2.2" fill="#9be7c0"/><circle cx="24" cy="16" r="2.2" '
    'fill="#fff"/><circle cx="24" cy="22.4" r="2.2" fill="#fff"/></svg>'
)
"""The console's, as `console/icon.svg` has it."""

SECURITY_POLICY = (
    "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

Page = tuple[str, str]
"""A page as HTML, and its content security policy: no browser loads anything for it or runs
anything in it, whatever the page contains."""


def build(title: str, path: str, main: str, *, style: str = "", side: str = "") -> Page:
    """The page at `/v2/{path}`. `main` and `side`, what stands beside it, are HTML."""
    links = {"/console/": "Console", "docs": "API", "errors": "Errors"}
    items = "".join(
        f'<a href="{to}"{" aria-current=page" if to == path else ""}>{name}</a>'
        for to, name in links.items()
    )
    page_style = STYLE + style
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Data Connectors</title><style>{page_style}</style></head><body>"
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header class="bar"><div><b>{MARK}Data Connectors</b>'
        f'<nav aria-label="Pages">{items}</nav></div></header>'
        f'<div class="columns">{side}<main id="main"><h1>{escape(title)}</h1>{main}'
        "</main></div></body></html>"
    )
    digest = base64.b64encode(hashlib.sha256(page_style.encode()).digest()).decode()
    return html, SECURITY_POLICY.format(digest)
