# Everything from the environment, the log on standard output, as in a container.
import fnmatch
import os
import sys

from twisted.application import service
from twisted.python.log import FileLogObserver, ILogObserver
from buildbot_worker.bot import Worker

basedir = os.environ.get("BUILDBOT_BASEDIR", os.path.abspath(os.path.dirname(__file__)))
application = service.Application('buildbot-worker')
application.setComponent(ILogObserver, FileLogObserver(sys.stdout).emit)

host = os.environ.get("BUILDMASTER", 'localhost')
port = int(os.environ.get("BUILDMASTER_PORT", 9989))
protocol = os.environ.get("BUILDMASTER_PROTOCOL", 'pb')
name = os.environ.get("WORKERNAME", 'docker')
password = os.environ.get("WORKERPASS")

hidden = os.environ.get("WORKER_ENVIRONMENT_BLACKLIST", "WORKERPASS").split()
for variable in list(os.environ.keys()):
    for pattern in hidden:
        if fnmatch.fnmatch(variable, pattern):
            del os.environ[variable]

worker = Worker(host, port, name, password, basedir, 600, umask=None, maxdelay=300,
                allow_shutdown=None, maxRetries=10, protocol=protocol,
                delete_leftover_dirs=False)
worker.setServiceParent(application)
