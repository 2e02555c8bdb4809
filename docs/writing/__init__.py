"""What the reference pages say, page by page; each reads the code it describes."""
