"""What the house knows now, for pages and commands; memory first, the store only where history is asked for."""

from bot.board.board import Board

__all__ = ["Board"]
