"""From numbers to readings: pure numpy, many series at once."""
