"""The HTTP side: API, pages, live events."""
