"""Which master is talked to, and how: one column of the table that `ci/master.sh all` prints."""

from dataclasses import dataclass

from .errors import Trouble

TRANSPORTS = ["pb", "pb+tls", "msgpack", "msgpack+tls"]
MASTERS = ["2.10.5", "3.7.0", "3.11.9", "4.3.0"]
# The protocol that our workers speak came with 3.6.
WITHOUT_MSGPACK = {"2.10.5"}
# These do not wait until the last state of a step is stored: what is kept is a matter of chance.
LOSING_STATES = {"2.10.5", "3.7.0"}


@dataclass(frozen=True)
class Combination:
    """A transport and the version of a master."""

    transport: str = "pb"
    master: str = "4.3.0"

    def __str__(self):
        return f"{self.master}-{self.transport}"

    def check(self):
        """Trouble if no master can do this."""
        if self.transport.startswith("msgpack") and self.master in WITHOUT_MSGPACK:
            raise Trouble(f"a master {self.master} does not know MessagePack; 3.6 was the first")

    @property
    def keeps_states(self):
        """Whether the state of a step that is over is always its last one."""
        return self.master not in LOSING_STATES

    def takes(self, entry):
        """Whether an entry of a list (a dictionary) is about this combination.

        Takes `transports` and `masters` out of it; an entry without them is about all.
        """
        transports = entry.pop("transports", TRANSPORTS)
        masters = entry.pop("masters", MASTERS)
        for word, known in [(transports, TRANSPORTS), (masters, MASTERS)]:
            if not word or not set(word) <= set(known):
                raise Trouble(f"an entry names {word}; there are {known}: {entry}")
        return self.transport in transports and self.master in masters


DEFAULT = Combination()


def every():
    """All combinations that exist; the default one first, then by transport."""
    found = [Combination(transport, master) for transport in TRANSPORTS for master in MASTERS[::-1]]
    return [
        each
        for each in found
        if not (each.transport.startswith("msgpack") and each.master in WITHOUT_MSGPACK)
    ]
