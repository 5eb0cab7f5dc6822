"""The page that asks for the token: plain HTML, before anything else is served."""

from __future__ import annotations

import html
from string import Template

from daemon.web.texts import Texts

_PAGE = Template(
    """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>$name</title>
<style>:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1.25rem}
input,button{font:inherit;padding:.6rem .8rem;border:1px solid #7d8995;border-radius:.6rem}
input{width:100%;box-sizing:border-box;margin:.25rem 0 1rem}
.wrong{font-weight:700}code{word-break:break-all}</style></head>
<body><main><h1>$heading</h1><p>$detail</p>$error
<form method="post" action="/token"><label for="token">$label</label>
<input id="token" name="token" autocomplete="off" spellcheck="false" required autofocus>
<button>$enter</button></form></main></body></html>"""
)
_GOING_ON = Template(
    """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=/"><title>$name</title></head>
<body><main><a href="/">$name</a></main></body></html>"""
)


def going_on_page(texts: Texts) -> bytes:
    """The page that leads on into the real one."""
    return _GOING_ON.substitute(name=html.escape(texts("app.name"))).encode()


def token_page(texts: Texts, token_file: str, *, wrong: bool) -> bytes:
    """The page, saying where the token is kept and, after a wrong one, that it was wrong."""
    said = {name: html.escape(texts(f"token.{name}")) for name in ("heading", "label", "enter", "wrong")}
    error = f'<p role="alert" class="wrong">{said.pop("wrong")}</p>'
    before, _, after = texts("token.detail").partition("{file}")
    detail = f"{html.escape(before)}<code>{html.escape(token_file)}</code>{html.escape(after)}"
    name = html.escape(texts("app.name"))
    return _PAGE.substitute(said, name=name, detail=detail, error=error if wrong else "").encode()
