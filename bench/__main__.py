"""Run every measurement: `make bench`."""

from bench import doors, latency, listening, replay, telling, turns

doors.main()
latency.main()
listening.main()
replay.main()
telling.main()
turns.main()
