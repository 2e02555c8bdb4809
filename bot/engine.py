"""Ask, judge, keep."""
