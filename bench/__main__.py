"""Run every measurement: `make bench`."""

from bench import doors, latency, telling

doors.main()
latency.main()
telling.main()
