"""Run every measurement: `make bench`."""

from bench import doors

doors.main()
