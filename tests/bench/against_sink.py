"""What is measured against the sink: a master that is never the slower one."""

import hashlib
import random
import time

import process
import sides

MB = 1_000_000
BLOCK = 256 * 1024  # Buildbot's own size for transfers
ROUND_TRIP = 60  # ms
REST = 45  # s, after which a worker that has attached has come to rest


def make_inputs(place, size):
    """Files that steps print, about `size` MB each."""
    place.mkdir(parents=True, exist_ok=True)
    dice = random.Random(6)
    words = ["gcc -c -O2", "src/parse.c", "test_dict ... ok", "warning:", "lib/größe.py", "-Wall"]
    lines = [" ".join(dice.choices(words, k=dice.randint(1, 6))) + "\n" for _ in range(5000)]
    progress = [f"{count % 101}% {dice.choice(words)}\r" for count in range(5000)]
    for name, text in [
        ("short", "".join(lines)),
        ("long", "".join(lines).replace("\n", " ")[:1_000_000] + "\n"),
        ("progress", "".join(progress) + "\n"),
    ]:
        content = text.encode()
        with open(place / name, "wb") as file:
            for _ in range(max(1, size * MB // len(content))):
                file.write(content)
    (place / "noise").write_bytes(random.Random(7).randbytes(1 << 20))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_big(place, megabytes):
    """A file of random bytes for transfers."""
    noise = (place / "noise").read_bytes()
    with open(place / "big", "wb") as file:
        for _ in range(megabytes):
            file.write(noise[: MB])


def measure(side, options, place, wake_seconds):
    """All numbers of one side, by the names in table.py."""
    found = {}
    with sides.sink(options.sink) as sink:
        with sides.worker(side, options.worker, sink.port, place) as worker:
            sink.wait_attached()
            found["start to attached, ms"] = (time.monotonic() - worker.began) * 1000
            time.sleep(1)
            found["RSS at first, MiB"] = process.rss_mib(worker.pid)
            time.sleep(REST)
            found["idle RSS, MiB"] = process.rss_mib(worker.pid)
            found["idle PSS, MiB"] = process.pss_mib(worker.pid)
            if wake_seconds:
                before = process.switches(worker.pid)
                time.sleep(wake_seconds)
                count = process.switches(worker.pid) - before
                found["wake-ups a minute, idle"] = count * 60 / wake_seconds
            tiny(found, sink, worker, options.tiny)
            found["first line, s"] = sink.order("shell", "echo hello; sleep 5.5")[2]
            for kind in ("short", "long", "progress"):
                output(found, sink, worker, f"{kind} lines", f"cat {place}/{kind}")
            output(found, sink, worker, "short lines, terminal", f"PTY=1; cat {place}/short")
            transfers(found, sink, worker, place, "")
            found["RSS afterwards, MiB"] = process.rss_mib(worker.pid)
    long_transfers(found, side, options, place)
    return found


def tiny(found, sink, worker, count):
    before = process.cpu_seconds(worker.pid)
    seconds, _, _ = sink.order("tiny", count)
    used = process.cpu_seconds(worker.pid) - before
    found["tiny step, CPU ms"] = used * 1000 / count
    found["tiny step, ms"] = seconds * 1000 / count


def output(found, sink, worker, name, script):
    process.forget_peak(worker.pid)
    before = process.cpu_seconds(worker.pid)
    seconds, count, _ = sink.order("shell", script)
    used = process.cpu_seconds(worker.pid) - before
    # Scaled, so that a quick run can be compared with a long one.
    found[f"200 MB of {name}, CPU s"] = used * 200 * MB / count
    found[f"{name}, MB/s"] = count / MB / seconds
    found[f"{name}, peak MiB"] = process.peak_mib(worker.pid)


def transfers(found, sink, worker, place, link):
    source, there = place / "big", place / "arrived"
    wanted = digest(source)
    for word, order in [
        ("up", ("upload", source, BLOCK, there)),
        ("down", ("download", source, BLOCK, there)),
    ]:
        there.unlink(missing_ok=True)
        process.forget_peak(worker.pid)
        before = process.cpu_seconds(worker.pid)
        seconds, count, _ = sink.order(*order)
        used = process.cpu_seconds(worker.pid) - before
        if digest(there) != wanted:
            raise sides.Trouble(f"the file that went {word} is not what it was")
        found[f"file {word}{link}, MB/s"] = count / MB / seconds
        found[f"300 MB {word}{link}, CPU s"] = used * 300 * MB / count
        found[f"file {word}{link}, peak MiB"] = process.peak_mib(worker.pid)


def long_transfers(found, side, options, place):
    with sides.sink(options.sink) as sink:
        with sides.long_link(sink.port, ROUND_TRIP) as port:
            with sides.worker(side, options.worker, port, place) as worker:
                sink.wait_attached()
                transfers(found, sink, worker, place, f", {ROUND_TRIP} ms link")
