"""What the worker tells about itself."""

from buildbot.plugins import steps

from harness.scenario import scenario
from steps import ShowWorker


@scenario(
    "The master learns the worker's description, system, environment and commands",
    shows={
        "told/log:worker": [
            "^admin: 'A Tester",
            "^command shell: '3.3'$",
            "^environ USER: 'tester'$",
        ]
    },
)
def worker_information(at):
    return [
        ShowWorker(name="told"),
        steps.SetPropertiesFromEnv(
            variables=["USER", "HOME", "MISSING"], name="from the environment"
        ),
    ]
