"""Several builders on one worker."""

import os

from harness.scenario import scenario
from harness.stage import read_pid
from steps import sh


@scenario(
    "Two builds run at the same time on one worker",
    shows={"left/meets/log:stdio": "^oboth are here$", "right/meets/log:stdio": "^oboth are here$"},
)
def two_builders(at):
    def meet(mine, other):
        wait = f": > ../../{mine}.mark; while [ ! -e ../../{other}.mark ]; do sleep 0.1; done"
        return [sh(f"{wait}; echo both are here", "meets")]

    return {"left": meet("left", "right"), "right": meet("right", "left")}


def reconfigured_while_running(stage):
    """Adds, removes and renames builders while another one is in the middle of a build."""
    scene = stage.master.scene
    without, renamed = scene.get("without", []), scene.get("renamed", {})
    stage.master.reconfigure(without=[*without, stage.builder("late")])
    stage.force("stays")
    started = stage.builder_directory("stays") / "build" / "started"
    stage.wait_for_file(started)
    goes, moved = stage.builder("goes"), stage.builder("moved")
    stage.master.reconfigure(without=[*without, goes], renamed={**renamed, goes: moved})
    stage.wait("directory of the added builder", stage.builder_directory("late").exists)
    stage.wait("directory of the renamed builder", stage.builder_directory("moved").exists)
    stage.builders[moved] = None
    late, newly_named = stage.force("late"), stage.force("moved")
    for request in (late, newly_named):
        stage.wait(
            "the builds of the new builders",
            lambda: stage.rest.row(f"buildrequests/{request}")["complete"],
        )
    stage.note(
        "the running build", "lives" if os.path.exists(f"/proc/{read_pid(started)}") else "died"
    )
    stage.note("old directory", stage.builder_directory("goes").exists())
    (started.parent / "go").touch()
    stage.finish()


@scenario(
    "Builders come, go and change their names while another one is building",
    drive=reconfigured_while_running,
    alone=True,
    shows={
        "stays/works/log:stdio": "^odone$",
        "moved/tell/results": "SUCCESS",
        "noted/the running build": "^lives$",
    },
)
def reconfigured(at):
    wait = "echo $$ > started.new; mv started.new started; while [ ! -e go ]; do sleep 0.1; done; echo done"
    return {
        "stays": [sh(wait, "works")],
        "goes": [sh("pwd", "tell")],
        "late": [sh("pwd", "tell")],
    }


def builder_removed_while_running(stage):
    """Removes a builder from the configuration in the middle of its build."""
    stage.force("doomed")
    started = stage.builder_directory("doomed") / "build" / "started"
    stage.wait_for_file(started)
    doomed = stage.builder("doomed")
    stage.master.reconfigure(without=[*stage.master.scene.get("without", []), doomed])
    stage.note_gone("program", read_pid(started))
    stage.requests.clear()
    stage.builders[doomed] = None
    stage.force("other")
    stage.finish()


@scenario(
    "The program of a builder that is removed does not live on",
    drive=builder_removed_while_running,
    alone=True,
    shows={"noted/program": "^gone$", "other/tell/results": "SUCCESS"},
)
def builder_removed(at):
    return {
        "doomed": [sh("echo $$ > new; mv new started; while :; do sleep 0.1; done", "endless")],
        "other": [sh("pwd", "tell")],
    }
