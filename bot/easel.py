"""Pictures: SVG to PNG in a helper process."""
