"""Where reports flow."""
