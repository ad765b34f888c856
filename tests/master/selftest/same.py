"""A stand-in for our worker that is Python's worker: nothing may be found different."""

from buildbot_worker.scripts.runner import run

run()
