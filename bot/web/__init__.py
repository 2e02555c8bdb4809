"""The HTTP side: the API, the pages, live events, feeds and measures; everything it needs comes in through `House`."""
