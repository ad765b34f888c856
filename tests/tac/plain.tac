# A worker with everything in place, in the order that create-worker writes it.
import os

from buildbot_worker.bot import Worker
from twisted.application import service

basedir = '.'
rotateLength = 5000
maxRotatedFiles = 3

if basedir == '.':
    import os.path
    basedir = os.path.abspath(os.path.dirname(__file__))

application = service.Application('buildbot-worker')

from twisted.python.log import FileLogObserver, ILogObserver
from twisted.python.logfile import LogFile

log = LogFile.fromFullPath(os.path.join(basedir, "twistd.log"),
                           rotateLength=rotateLength, maxRotatedFiles=maxRotatedFiles)
application.setComponent(ILogObserver, FileLogObserver(log).emit)

buildmaster_host = 'master.example.org'
port = 9989
connection_string = None
workername = 'haiku-1'
passwd = "it's \"secret\" \\ and \u00e4"
keepalive = 600
umask = 0o22
maxdelay = 300
numcpus = 3
allow_shutdown = 'signal'
maxretries = 7
use_tls = 1
delete_leftover_dirs = 1
proxy_connection_string = None
protocol = 'pb'

worker = Worker(buildmaster_host, port, workername, passwd, basedir, keepalive,
                umask=umask, maxdelay=maxdelay, numcpus=numcpus,
                allow_shutdown=allow_shutdown, maxRetries=maxretries, protocol=protocol,
                useTls=use_tls, delete_leftover_dirs=delete_leftover_dirs,
                connection_string=connection_string,
                proxy_connection_string=proxy_connection_string)
worker.setServiceParent(application)
