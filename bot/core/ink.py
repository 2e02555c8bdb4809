"""The pens of a chart: colours of both themes, and SVG that no text can break out of.

Presentation attributes and no `style`, so that a strict content policy lets it pass and a page's own rules for the
classes win.
"""

from __future__ import annotations

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_PLAIN = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
LETTER = 0.6  # of the font size: the width of an average letter
THEMES = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1c2024",
        "quiet": "#5b6570",
        "grid": "#e7e9ec",
        "band": "#e1e5ea",
        "calm": "#5b6570",
        "minor": "#96590a",
        "major": "#c62828",
        "critical": "#7f1022",
        "over": "#1b7537",
    },
    "dark": {
        "paper": "#101418",
        "ink": "#eceff2",
        "quiet": "#9aa5b1",
        "grid": "#242a31",
        "band": "#2b333c",
        "calm": "#9aa5b1",
        "minor": "#e3a33b",
        "major": "#ff7a70",
        "critical": "#ff4d6a",
        "over": "#4cc27a",
    },
}


def document(size: tuple[int, int], body: str, *, title: str, words: str, paper: str = "") -> str:
    """A picture that stands alone; `title` and `words` are what a screen reader says, no `paper` is see-through."""
    width, height = size
    ground = f'<rect class="paper" width="{width}" height="{height}" fill="{paper}"/>' if paper else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{_FONT}">'
        f"<title>{escape(title)}</title><desc>{escape(words)}</desc>{ground}{body}</svg>"
    )


def text(x: float, y: float, words: str, colour: str, size: float, *, anchor: str = "start", weight: int = 400) -> str:
    """Words at a place; `anchor` is `start`, `middle` or `end`."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def escape(words: str) -> str:
    """Safe between tags and in quotes; characters that XML forbids are dropped."""
    return "".join(_PLAIN.get(letter, letter) for letter in words if _lawful(letter))


def _lawful(letter: str) -> bool:
    """True for what XML 1.0 calls a Char (production 2)."""
    return letter in "\t\n" or " " <= letter < "\ud800" or "\ue000" <= letter < "\ufffe" or letter > "\uffff"
