"""Runs scenarios on a real Buildbot master and compares two workers.

daemon     a program in a process group of its own, and the search for what it left behind
ports      free TCP ports on this machine
rest       the master's REST interface
master     a Buildbot master in a directory: start, restart, kill, reconfigure
worker     Python's worker ("theirs") or the built binary ("ours") in a base directory
scenario   what a scenario is, and the list of all of them
stage      what a scenario may do while it runs
record     what the master recorded, as a flat dictionary of texts
mask       which parts of a text differ from run to run
side       runs the scenarios with one of the two workers
compare    two records side by side, and the list of chosen differences
report     the lines a person reads
"""
