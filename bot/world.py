"""The real clock and the real web; the only place that asks the time."""
