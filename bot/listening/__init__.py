"""How the house comes by what it knows: it asks, is told, overhears, sends for numbers, and looks from other places."""
