//! The text of a new `buildbot.tac`: the assignments of PROTOCOL 7.2 in its order, around them what
//! the Python worker needs, so that both programs run from the same file.

use super::{NewWorker, Typed};
use crate::basedir::tac::quote;

/// The whole file.
pub fn tac(worker: &NewWorker) -> String {
    let basedir = worker.basedir.to_string_lossy();
    let basedir = if worker.relocatable { "." } else { &*basedir };
    let mut text = String::from(HEAD);
    assign(&mut text, "basedir", &quote(basedir));
    if let Some((size, count)) = &worker.log {
        assign(&mut text, "rotateLength", &size.to_string());
        assign(&mut text, "maxRotatedFiles", &count.0);
    }
    text.push_str(APPLICATION);
    if worker.log.is_some() {
        text.push_str(LOG);
    }
    text.push_str(CONNECTION);
    connection(&mut text, worker);
    text.push_str(SETTINGS);
    settings(&mut text, worker);
    text.push_str(CALL);
    text
}

fn assign(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("{name} = {value}\n"));
}

fn connection(text: &mut String, worker: &NewWorker) {
    let host = quote(&worker.master.host);
    let port = worker.master.port.to_string();
    match &worker.connection_string {
        None => {
            assign(text, "buildmaster_host", &host);
            assign(text, "port", &port);
            assign(text, "connection_string", "None");
        }
        Some(endpoint) => {
            // Kept as comments for whoever goes back to host and port.
            assign(text, "buildmaster_host", &format!("None  # {host}"));
            assign(text, "port", &format!("None  # {port}"));
            assign(text, "connection_string", &quote(endpoint));
        }
    }
}

fn settings(text: &mut String, worker: &NewWorker) {
    let flag = |yes: bool| if yes { "1" } else { "0" };
    let optional = |value: &Option<String>| value.as_deref().map_or("None".to_owned(), quote);
    let typed = |value: &Typed| value.0.clone();
    let values = [
        ("workername", quote(&worker.name)),
        ("passwd", quote(worker.password.expose())),
        ("keepalive", worker.keepalive.to_string()),
        ("umask", typed(&worker.umask)),
        ("maxdelay", worker.max_delay.to_string()),
        ("numcpus", typed(&worker.cpus)),
        ("allow_shutdown", optional(&worker.allow_shutdown)),
        ("maxretries", typed(&worker.max_retries)),
        ("use_tls", flag(worker.tls).to_owned()),
        (
            "delete_leftover_dirs",
            flag(worker.delete_leftover_dirs).to_owned(),
        ),
        ("proxy_connection_string", optional(&worker.proxy)),
        ("protocol", quote(&worker.protocol)),
    ];
    for (name, value) in values {
        assign(text, name, &value);
    }
}

const HEAD: &str = "\
# The configuration of one Buildbot worker, for coracle and for the Python worker alike.
# It contains the worker's password: keep it readable by the worker's own user only.

import os

from twisted.application import service

from buildbot_worker.bot import Worker

# '.' stands for the directory that this file is in.
";

const APPLICATION: &str = "
if basedir == '.':
    basedir = os.path.dirname(os.path.abspath(__file__))

# Both programs recognise a worker's directory by the next line. Leave it as it is.
application = service.Application('buildbot-worker')
";

const LOG: &str = "
# The log: twistd.log, put aside when it is rotateLength bytes long.
from twisted.python import log, logfile

worker_log = logfile.LogFile.fromFullPath(os.path.join(basedir, 'twistd.log'),
                                          rotateLength=rotateLength,
                                          maxRotatedFiles=maxRotatedFiles)
application.setComponent(log.ILogObserver, log.FileLogObserver(worker_log).emit)
";

const CONNECTION: &str = "\n# Where the master is.\n";

const SETTINGS: &str = "\n# Who we are, and how we work.\n";

const CALL: &str = "
worker = Worker(
    buildmaster_host, port, workername, passwd, basedir, keepalive,
    umask=umask,
    maxdelay=maxdelay,
    numcpus=numcpus,
    allow_shutdown=allow_shutdown,
    maxRetries=maxretries,
    useTls=use_tls,
    delete_leftover_dirs=delete_leftover_dirs,
    connection_string=connection_string,
    proxy_connection_string=proxy_connection_string,
    protocol=protocol,
)
worker.setServiceParent(application)
";
