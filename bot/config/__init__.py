"""YAML to models: a strict loader with line marks, and errors that explain themselves."""
