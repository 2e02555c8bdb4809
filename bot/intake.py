"""Reports in: admit, deduplicate, count, make durable."""
