"""The ground floor: values and decisions. No await, clock, I/O, randomness or logging."""
