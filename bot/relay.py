"""Tell: each thread is a copy that catches up."""
