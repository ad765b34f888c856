#!/bin/sh
#
# PROVIDE: @service@
# REQUIRE: LOGIN
# KEYWORD: shutdown
#
# Buildbot worker "@instance@". Written by `coracle service`. See rc.subr(8); in rc.conf(5):
#   @service@_enable=YES     starts it at boot
#   @service@_user, @service@_basedir, @service@_binary     in place of what stands below

. /etc/rc.subr

name="@service@"
desc="Buildbot worker @instance@"
rcvar="@service@_enable"
start_cmd="@service@_run start -q"
stop_cmd="@service@_run @stop_words@"
status_cmd="@service@_run @status_words@"
extra_commands="status"

load_rc_config "$name"
: "${@service@_enable:=NO}"
: "${@service@_user:=@user@}"
[ -n "$@service@_basedir" ] || @service@_basedir=@basedir:sh@
[ -n "$@service@_binary" ] || @service@_binary=@program:sh@

# Runs the program with these words and the base directory, as the user. The directory and the
# program reach it through the environment, which su(1) -m hands on: so it does not matter what
# root's shell makes of odd characters. What rc(8) has as PATH and HOME is of no use to builds.
# shellcheck disable=SC2016,SC2089,SC2090 # Text for the shell behind su.
@service@_run()
(
	CORACLE_BINARY=$@service@_binary
	CORACLE_BASEDIR=$@service@_basedir
	CORACLE_USER=$@service@_user
	CORACLE_HOME=$(eval "echo ~$CORACLE_USER")
	CORACLE_RUN="cd /; binary=\$CORACLE_BINARY; basedir=\$CORACLE_BASEDIR"
	CORACLE_RUN="$CORACLE_RUN; HOME=\$CORACLE_HOME; USER=\$CORACLE_USER; LOGNAME=\$CORACLE_USER"
	CORACLE_RUN="$CORACLE_RUN; PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
	CORACLE_RUN="$CORACLE_RUN; export HOME USER LOGNAME PATH"
	CORACLE_RUN="$CORACLE_RUN; unset CORACLE_BINARY CORACLE_BASEDIR CORACLE_USER CORACLE_HOME CORACLE_RUN"
	CORACLE_RUN="$CORACLE_RUN; exec \"\$binary\" $* \"\$basedir\""
	export CORACLE_BINARY CORACLE_BASEDIR CORACLE_USER CORACLE_HOME CORACLE_RUN
	if [ "$(id -un)" = "$CORACLE_USER" ]; then
		sh -c "$CORACLE_RUN"
	else
		su -m "$CORACLE_USER" -c 'sh -c "$CORACLE_RUN"'
	fi
)

run_rc_command "$1"
