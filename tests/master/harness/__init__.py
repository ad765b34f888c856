"""Runs scenarios on a real Buildbot master and compares two workers.

daemon               a program in a process group of its own, and the search for what it left behind
ports                free TCP ports on this machine
rest                 the master's REST interface
combination          which master is talked to, and how
transport            what a master listens on, and what its workers are told
certificates, relay  TLS for masters: keys of one run, and TLS in front of a master that has none
master               a Buildbot master in a directory: start, restart, kill, reconfigure
worker               Python's worker ("theirs") or the built binary ("ours") in a base directory
scenario             what a scenario is, and the list of all of them
stage                what a scenario may do while it runs
record               what the master recorded, as a flat dictionary of texts
mask                 which parts of a text differ from run to run
settings             places and programs of one run
people               the user that the workers run as
inputs               files that scenarios start from
side                 runs the scenarios with one of the two workers
expect               whether a scenario did what it claims to do
cache                records from earlier runs
compare              two records side by side, and the list of chosen differences
limits               what a combination cannot do, and where masters themselves fail
match                both workers on one combination, and what is to be said about them
report               the lines a person reads
"""
