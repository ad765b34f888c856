"""How workers reach their master: what the master listens on, and what its workers are told."""

import sys
from dataclasses import dataclass
from pathlib import Path

from . import certificates

MSGPACK = "msgpack_experimental_v7"
RELAY = Path(__file__).with_name("relay.py")


@dataclass(frozen=True)
class Transport:
    """One of combination.TRANSPORTS. `keys` is the directory of its certificates, if it has TLS."""

    name: str
    keys: Path | None = None

    def protocols(self, port, inner_port):
        """What stands in the master's configuration; workers connect to `port`."""
        match self.name:
            case "pb":
                return {"pb": {"port": f"tcp:{port}:interface=127.0.0.1"}}
            case "pb+tls":
                files = f"privateKey={self.keys}/master.key:certKey={self.keys}/master.pem"
                return {"pb": {"port": f"ssl:{port}:interface=127.0.0.1:{files}"}}
            case "msgpack":
                # Masters take nothing but a number here, and listen everywhere.
                return {MSGPACK: {"port": port}}
            case "msgpack+tls":
                return {MSGPACK: {"port": inner_port}}
        raise ValueError(self.name)

    def worker_options(self, port):
        """What `create-worker` is told besides the address."""
        words = ["--protocol", MSGPACK] if self.name.startswith("msgpack") else []
        if self.keys:
            endpoint = f"tls:host=localhost:port={port}:trustRoots={self.keys}/roots"
            words += ["--connection-string", endpoint]
        return words

    def relay(self, port, inner_port):
        """The program that ends TLS for a master that cannot, or None."""
        if self.name != "msgpack+tls":
            return None
        return [sys.executable, RELAY, port, inner_port, *self._pair()]

    def _pair(self):
        return [self.keys / "master.pem", self.keys / "master.key"]


PLAIN = Transport("pb")


def make_transport(name, directory):
    """The transport called `name`, with new certificates in `directory` if it needs them."""
    if not name.endswith("+tls"):
        return Transport(name)
    certificates.make(directory)
    return Transport(name, directory)
