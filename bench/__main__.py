"""Run every measurement: `make bench`."""

from bench import doors, latency, replay, telling, turns

doors.main()
latency.main()
replay.main()
telling.main()
turns.main()
