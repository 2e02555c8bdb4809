"""The helper itself: length and SVG in, verdict, length and PNG out, until the pipe closes.

Run by its path, so that it imports nothing of the bot and stays small. It leaves by itself when nobody wants a
picture for a while.
"""

import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import resvg_py

_IDLE = 600  # seconds until the helper leaves
_FONTS = [str(path) for path in sorted(Path(__file__).parent.glob("*.ttf"))]
_COVERED = 0x460  # our fonts draw Latin, Greek and Cyrillic; beyond that the system's fonts may help


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Draw whatever comes in."""
    while True:
        signal.alarm(_IDLE)
        head = source.read(4)
        if len(head) < 4:
            return
        verdict, body = paint(source.read(int.from_bytes(head, "big")).decode())
        sink.write(bytes([verdict]) + len(body).to_bytes(4, "big") + body)
        sink.flush()


def paint(svg: str) -> tuple[int, bytes]:
    """0 and the PNG, or 1 and what is wrong with the SVG."""
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=svg,
            font_files=_FONTS,
            sans_serif_family="Roboto",
            font_family="Roboto",
            skip_system_fonts=all(ord(letter) < _COVERED or 0x2000 <= ord(letter) < 0x2300 for letter in svg),
        )
    except ValueError as exc:
        return 1, str(exc).encode()
    return 0, bytes(png)


if __name__ == "__main__":
    os.nice(10)  # a chart is never worth delaying a report
    main(sys.stdin.buffer, sys.stdout.buffer)
