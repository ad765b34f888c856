# What people make of it over the years.
import os, socket
from pathlib import Path
from buildbot_worker import bot
from twisted.application import service as svc

here = Path(__file__).resolve().parent
application = svc.Application('buildbot-worker')

DEFAULTS = {
    'host': 'master.example.org',
    'port': 9989,
}
DEFAULTS['port'] += 10000   # the TLS port

with open(os.path.join(str(here), 'password.txt')) as f:
    passwd = f.read().strip()

if os.getenv('STAGING', 'no') in ('yes', '1'):
    host, port = 'staging.' + 'example.org', 1234
else:
    host, port = DEFAULTS['host'], DEFAULTS['port']

name = f"builder-{os.environ['NUMBER']}"
def on_start():
    print("never called", undefined_name)

kwargs = dict(umask=0o022, numcpus=max(1, 2))
kwargs['useTls'] = True
kwargs.update({'allow_shutdown': 'file'})
coracle_environ = ['PATH', 'LC_*']
coracle_colour = 'blue'
coracle_nice = 5
coracle_core_limit = 1024 * 1024

s = bot.Worker(host, port, name, passwd, str(here), keepalive=60.5, **kwargs)
s.setServiceParent(application)
