"""Run every measurement: `make bench`."""

from bench import doors, latency

doors.main()
latency.main()
