"""Reports in: admit, deduplicate, count, make durable; and one person's taken out again.

A report is marked as heard before it is written, counted after it is durable, and only then answered.
"""

from bot.intake.forgetting import Forgetting
from bot.intake.intake import Archive, Intake

__all__ = ["Archive", "Forgetting", "Intake"]
