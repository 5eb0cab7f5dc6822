"""A browser page that remembers its complaints, and what the tests ask of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from support.browser.live_page import LivePage
from support.waiting import PATIENCE_S

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
PATIENCE_MS = 1000 * PATIENCE_S


class Sheet:
    """A browser page that remembers everything it complained about."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        self.fetched: list[str] = []
        tab.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        tab.on("console", self._console)
        tab.on("request", lambda request: self.fetched.append(request.url))
        tab.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def go(self, page: LivePage, path: str = "/") -> Any:
        self.tab.goto(page.url + path)
        self.tab.wait_for_function("window.socket && window.socket.connected && window.did_handshake")
        return self.tab


def chart(tab: Any, selector: str, what: str) -> Any:
    """Ask the chart at ``selector`` something, once it is drawn."""
    found = f"getElement(document.querySelector('{selector}').id.slice(1))?.chart"
    tab.wait_for_function(found)
    return tab.evaluate(f"{found}.{what}")


def until(tab: Any, selector: str, what: str) -> None:
    """Wait until this is true of the chart: what is drawn comes a message after what is written."""
    found = f"getElement(document.querySelector('{selector}').id.slice(1))?.chart"
    tab.wait_for_function(f"{found} && {found}.{what}", timeout=PATIENCE_MS)


def soon(tab: Any, check: Callable[[], Any], what: str = "it") -> None:
    """Wait until this is true of a page that is still being drawn, moved or faded."""
    until_s = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < until_s, f"not within {PATIENCE_S:g} s: {what}"
        tab.wait_for_timeout(50)


def reads(tab: Any, place: Any, text: str) -> None:
    """Wait until this text is in that place."""
    soon(tab, lambda: text in place.inner_text(), f"{text!r} in {place}")


def audited(tab: Any) -> None:
    """Nothing is found once everything has come to rest: colours fade and dialogs grow."""
    until_s = time.monotonic() + PATIENCE_S
    while (found := tab.evaluate(AUDIT)) and time.monotonic() < until_s:
        tab.wait_for_timeout(50)
    assert found == []


def resting_box(tab: Any, place: Any) -> dict[str, float]:
    """Where it is, once it stays there: what comes late above it would move it from under a click."""
    seen: list[dict[str, float] | None] = [None]

    def rests() -> bool:
        before, seen[0] = seen[0], place.bounding_box()
        tab.wait_for_timeout(200)
        return before is not None and before == seen[0]

    soon(tab, rests, f"{place} rests")
    assert seen[0] is not None
    return seen[0]


def plane_ready(tab: Any) -> None:
    """Until the plane can be touched."""
    tab.wait_for_function("getElement(document.querySelector('.plane-chart').id.slice(1))?.chart?.neuroReady")


def fits(tab: Any) -> None:
    """Until the page is no wider than the screen."""
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    soon(tab, lambda: tab.evaluate(over) <= 0, "the page fits the screen")


AUDIT = """() => {
  const found = [];
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (at) => {
    for (let up = at; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.backgroundImage !== "none") return null;
      const colour = parse(style.backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  for (const at of document.querySelectorAll("body *")) {
    const box = at.getBoundingClientRect();
    const own = [...at.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!box.width || !box.height || !at.checkVisibility()) continue;
    if (at.closest("[aria-hidden=true], .visually-hidden")) continue;
    if (own && !at.matches("script, style, option")) {
      const style = getComputedStyle(at), behind = ground(at);
      if (behind) {
        const [hi, lo] = [light(parse(style.color)), light(behind)].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const ratio = (hi + 0.05) / (lo + 0.05);
        const told = at.textContent.trim().slice(0, 40);
        if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${told}`);
      }
    }
    if (at.matches("button, a[href], input, select, [role=img], [role=progressbar], [role=application]")) {
      const name = at.ariaLabel || at.innerText?.trim() || at.labels?.[0]?.innerText;
      if (!name) found.push(`no name: ${at.outerHTML.slice(0, 120)}`);
    }
    const target = at.matches("button, a[href], select") && !at.matches(".skip, .brand");
    if (target && Math.min(box.width, box.height) < 24)
      found.push(`small to touch: ${at.outerHTML.slice(0, 120)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) found.push("an id is used twice");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  if (!document.documentElement.lang) found.push("no language");
  return found;
}"""
CUT = """() => [...document.querySelectorAll("body *")].filter((at) => {
  const aside = ".visually-hidden, script, style, select, .wrap-anywhere";
  if (!at.checkVisibility() || at.closest(aside)) return false;
  // names are as long as they are
  if (at.matches(".coming-title, .track-artist, .track-title, .notice-text")) return false;
  if (![...at.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim())) return false;
  const range = document.createRange();
  range.selectNodeContents(at);
  const words = range.getBoundingClientRect();
  const place = "button, a, li, td, p, span, h1, h2, h3, label, summary, div";
  const box = at.closest(place).getBoundingClientRect();
  const out = words.right > innerWidth + 1 || words.left < -1;
  return out || words.right > box.right + 2 || words.left < box.left - 2;
}).map((at) => at.textContent.trim().slice(0, 40))"""
"""Words that do not fit where they stand, or on the screen."""
