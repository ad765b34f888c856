# From the time before 0.9, when workers were slaves and Python was 2.
import os
from twisted.application import service
from buildslave.bot import BuildSlave

basedir = r'.'
rotateLength = 10000000
maxRotatedFiles = 10

if basedir == '.':
    import os.path
    basedir = os.path.abspath(os.path.dirname(__file__))

application = service.Application('buildslave')

try:
    from twisted.python.logfile import LogFile
    from twisted.python.log import ILogObserver, FileLogObserver
    logfile = LogFile.fromFullPath(os.path.join(basedir, "twistd.log"), rotateLength=rotateLength,
                                   maxRotatedFiles=maxRotatedFiles)
    application.setComponent(ILogObserver, FileLogObserver(logfile).emit)
except ImportError, e:
    print "this Twisted is too old for that"

buildmaster_host = 'master.example.org'
port = 9989
slavename = u'old-one'
passwd = 'sekrit'
keepalive = 600L
usepty = 0
umask = 022
maxdelay = 300
allow_shutdown = False

s = BuildSlave(buildmaster_host, port, slavename, passwd, basedir,
               keepalive, usepty, umask=umask, maxdelay=maxdelay,
               allow_shutdown=allow_shutdown)
s.setServiceParent(application)
