#!/bin/ksh
#
# Buildbot worker "@instance@". Written by `coracle service`. See rc.subr(8) and rcctl(8).
# The flags are a base directory, as it is; without flags it is the one below. So this script also
# serves further workers, under further names:
#   ln -s @service@ /etc/rc.d/coracle_other
#   rcctl set coracle_other flags /home/other/worker
#   rcctl set coracle_other user other
#   rcctl enable coracle_other

# rc.subr evaluates it once more, which is what the inner quotes are for.
daemon=@program:shsh@
daemon_user="@user@"
basedir=@basedir:sh@

. /etc/rc.d/rc.subr

rc_reload=NO
# Only root can ask as the user whether the worker runs.
rc_usercheck=NO

# A word for the shell that rc_exec starts.
quoted() {
	print -r -- "$1" | sed "s/'/'\\\\''/g; s/^/'/; s/\$/'/"
}

# Runs the program with these words and the base directory, as the user.
worker() {
	rc_exec "${daemon} $* $(quoted "${daemon_flags:-$basedir}")"
}

rc_start() {
	worker start -q
}

rc_check() {
	worker @status_words@
}

rc_stop() {
	worker @stop_words@
}

rc_cmd "$1"
