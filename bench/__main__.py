"""Run every measurement: `make bench`."""

from bench import doors, latency, replay, telling

doors.main()
latency.main()
replay.main()
telling.main()
