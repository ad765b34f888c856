#!/usr/bin/env python3
"""Prints the bill of materials of a program as CycloneDX 1.5 JSON, made from what cargo knows.

  ci/sbom.py --version VERSION --triple TRIPLE --tls yes|no

The same sources give the same bytes: the time is SOURCE_DATE_EPOCH, and the serial number is made from the rest.
"""

import argparse
import hashlib
import json
import os
import subprocess
import uuid
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def metadata(triple, tls):
    """The packages that the program is made of, and which of them each needs."""
    words = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", triple]
    if not tls:
        words += ["--no-default-features", "--features", "tools,encodings"]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def needed_by_program(found):
    """Identifiers of the packages that end up in the program: no tests, no build scripts."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    names = {package["id"]: package["name"] for package in found["packages"]}
    root = next(member for member in found["workspace_members"] if names[member] == "coracle")
    needs, todo = {}, [root]
    while todo:
        package = todo.pop()
        if package in needs:
            continue
        normal = (
            dependency["pkg"]
            for dependency in nodes[package]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
        )
        needs[package] = sorted(normal)
        todo += needs[package]
    return root, needs


def checksums():
    """SHA-256 of each package from the registry, by name and version, as in Cargo.lock."""
    found, name, version = {}, None, None
    for line in (ROOT / "Cargo.lock").read_text().splitlines():
        key, _, value = line.partition(" = ")
        value = value.strip('"')
        if key == "name":
            name = value
        elif key == "version":
            version = value
        elif key == "checksum":
            found[name, version] = value
    return found


def component(package, sums):
    name, version = package["name"], package["version"]
    made = {
        "type": "application" if name == "coracle" else "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if package["license"]:
        # Old packages write a slash for "or".
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if (name, version) in sums:
        made["hashes"] = [{"alg": "SHA-256", "content": sums[name, version]}]
    return made


def bill(version, triple, tls):
    found = metadata(triple, tls)
    root, needs = needed_by_program(found)
    packages = {package["id"]: package for package in found["packages"]}
    sums = checksums()
    made = {key: component(packages[key], sums) for key in needs}
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**made[root], "version": version},
            "properties": [{"name": "coracle:triple", "value": triple}],
        },
        "components": sorted((made[key] for key in needs if key != root), key=lambda each: each["bom-ref"]),
        "dependencies": sorted(
            (
                {"ref": made[key]["bom-ref"], "dependsOn": sorted(made[need]["bom-ref"] for need in needs[key])}
                for key in needs
            ),
            key=lambda each: each["ref"],
        ),
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
    return {**document, "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}"}


def main():
    parser = argparse.ArgumentParser(description="prints a bill of materials")
    parser.add_argument("--version", required=True)
    parser.add_argument("--triple", required=True)
    parser.add_argument("--tls", required=True, choices=["yes", "no"])
    options = parser.parse_args()
    print(json.dumps(bill(options.version, options.triple, options.tls == "yes"), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
