"""How well incidents are detected: a world of our own, rivals by their published rules, and an oracle."""
