"""One file per place where threads live."""
