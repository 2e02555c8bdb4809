"""Tocsin, an incident alerting bot: hear, judge, step, keep, tell."""
