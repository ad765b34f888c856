"""A stand-in for our worker that is Python's worker telling small lies, each of which must be found.

It reports status 4 for 3, writes `hellO`, and flips a bit of the files it uploads.
"""

from buildbot_worker import base, pb
from buildbot_worker.scripts.runner import run

honest_update = base.ProtocolCommandBase.send_update
honest_write = pb.ProtocolCommandPb.protocol_update_upload_file_write


def lying_update(self, data):
    lies = []
    for key, value in data:
        if key == "rc" and value == 3:
            value = 4
        if key == "stdout":
            value = value.replace("hello", "hellO")
        lies.append((key, value))
    return honest_update(self, lies)


def lying_write(self, writer, data):
    return honest_write(self, writer, data[:-1] + bytes([data[-1] ^ 1]))


base.ProtocolCommandBase.send_update = lying_update
pb.ProtocolCommandPb.protocol_update_upload_file_write = lying_write
run()
