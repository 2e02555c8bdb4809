"""People: a command, a button, a form becomes an event and an answer."""
