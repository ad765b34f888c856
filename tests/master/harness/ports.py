"""TCP ports of this machine."""

import random
import socket


def free_ports(count):
    """Returns `count` different ports of 127.0.0.1 that nobody listens on at the moment.

    They are none that the system gives to connections, which could take one before its master does.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given = int(file.read().split()[0])
    candidates = list(range(min(10000, first_given // 2), first_given))
    random.shuffle(candidates)
    found = []
    for port in candidates:
        if len(found) == count:
            break
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


def listens(port):
    """Whether somebody listens on the port; a look that disturbs nobody."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(f":{port:04X} 00000000:0000 0A" in line for line in table)
