"""Print the JSON Schema of the configuration, for editors."""

from __future__ import annotations

import json
import sys

from bot.config.schema import schema as drawn


def schema() -> int:
    """Print it as JSON, the very text of `config.schema.json`."""
    sys.stdout.write(text())
    return 0


def text() -> str:
    """The schema as it is printed."""
    return json.dumps(drawn(), indent=2, ensure_ascii=False) + "\n"
