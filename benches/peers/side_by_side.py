"""Runs `prism bench` and updates.py in turns on one machine and prints what both measured as one table.

In each round and for each task both programs run one after the other, the other way round in every second round, each
with its share of the seconds; both make warm-up rounds of their own. The table gives medians over rounds of each
program's medians, and how many times as fast as the fastest PyTorch prism's fastest device is.

The merged JSON is of the form that both write. Its low and high are the lowest and highest quartile of any round.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

UPDATES = pathlib.Path(__file__).with_name("updates.py")
BATCHES = {"forward": "1,8,32,256", "update": "32,256,512"}


def commands(arguments, task):
    """Both programs' command lines for one task, by name."""
    batches = arguments.batch or BATCHES[task]
    seconds = str(arguments.seconds / arguments.rounds)
    common = ["--task", task, "--agent", arguments.agent, "--batch", batches, "--seconds", seconds]
    devices = [option for device in arguments.device for option in ["--device", device]]
    variants = ["--variant", arguments.variant] if arguments.variant else []
    threads = ["--threads", str(arguments.threads)] if arguments.threads else []
    return {
        "prism": [arguments.prism, "bench", *common, *devices],
        "torch": [sys.executable, str(UPDATES), *common, *variants, *threads],
    }


def run(command, threads):
    """The document that a program writes, None where it wrote none, and whether it succeeded."""
    environment = os.environ | ({"RAYON_NUM_THREADS": str(threads)} if threads else {})
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "measurements.json"
        print("#", *command, file=sys.stderr, flush=True)
        # Their own tables go to standard error: standard output is for the one table.
        status = subprocess.run([*command, "--json", str(path)], stdout=sys.stderr, env=environment).returncode
        return json.loads(path.read_text()) if path.exists() else None, status == 0


def race(arguments):
    """Documents of all rounds by program, and the commands that failed."""
    documents, failures = {"prism": [], "torch": []}, []
    for round in range(arguments.rounds):
        for task in arguments.task.split(","):
            turns = list(commands(arguments, task).items())
            for program, command in turns if round % 2 == 0 else reversed(turns):
                document, succeeded = run(command, arguments.threads)
                if document is not None:
                    documents[program].append(document)
                if not succeeded:
                    failures.append(" ".join(command))
    return documents, failures


def case(row):
    return row["task"], row["subject"], row["batch"]


def unite(documents):
    """One row for each case and device out of the rows of all rounds."""
    groups = {}
    for document in documents:
        for row in document["measurements"]:
            groups.setdefault((*case(row), row["device"]), []).append(row)
    united = []
    for rows in groups.values():
        memory = [row["memory_bytes"] for row in rows if row["memory_bytes"] is not None]
        united.append(
            rows[0]
            | {
                "median": statistics.median(row["median"] for row in rows),
                "low": min(row["low"] for row in rows),
                "high": max(row["high"] for row in rows),
                "rounds": sum(row["rounds"] for row in rows),
                # The first one, since compiled code is kept for those that follow.
                "preparation": rows[0]["preparation"],
                "memory_bytes": max(memory, default=None),
            }
        )
    return united


def merge(documents, measurements):
    """The form that both programs write, of both."""
    every = documents["prism"] + documents["torch"]
    devices = {device["name"]: device for document in every for device in document["devices"]}
    versions = {name: version for document in every for name, version in document["versions"].items()}
    return {
        "format": 1,
        "program": ", ".join(dict.fromkeys(document["program"] for document in every)),
        "commit": next((document["commit"] for document in documents["prism"]), None),
        "command": os.environ.get("PEERS_COMMAND", " ".join(sys.argv)),
        "date": every[0]["date"],
        "machine": every[0]["machine"],
        "versions": versions,
        "devices": list(devices.values()),
        "measurements": measurements["prism"] + measurements["torch"],
    }


def cells(rows, devices):
    """Texts of one line, a median for each device."""
    return [f"{1e3 * rows[device]['median']:.3f}" if device in rows else "-" for device in devices]


def ratio(rows, devices):
    """Time of the fastest PyTorch over that of the fastest prism."""
    fastest = {
        program: min((rows[name]["median"] for name in names if name in rows), default=None)
        for program, names in devices.items()
    }
    if None in fastest.values():
        return "-"
    return f"{fastest['torch'] / fastest['prism']:.2f}"


def table(measurements):
    devices = {program: list(dict.fromkeys(row["device"] for row in rows)) for program, rows in measurements.items()}
    columns = [*devices["prism"], *devices["torch"]]
    lines = [["task", "agent", "batch", *columns, "prism / torch"]]
    cases = dict.fromkeys(case(row) for rows in measurements.values() for row in rows)
    for key in sorted(cases, key=lambda key: (key[0], list(cases).index(key))):
        rows = {row["device"]: row for own in measurements.values() for row in own if case(row) == key}
        lines.append([*map(str, key), *cells(rows, columns), ratio(rows, devices)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{text:{'<' if index < 2 else '>'}{widths[index]}}" for index, text in enumerate(line)))


def header(document):
    own = document["machine"]
    print(f"# machine: {own['cpu']}, {own['threads']} threads, {own['memory_bytes'] / 2**30:.0f} GiB, {own['os']}")
    print(f"# versions: {document['program']} ({document['commit'] or 'unknown commit'})")
    for device in document["devices"]:
        print(f"# {device['name']}: {device['description']}")
    print(f"# command: {document['command']}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prism", required=True, help="the prism binary")
    parser.add_argument("--device", action="append", default=[], help="device of prism; may be given several times")
    parser.add_argument("--variant", help="variants of PyTorch, with commas; default: those of updates.py")
    parser.add_argument("--task", default="forward,update")
    parser.add_argument("--agent", default="dqn,c51,rainbow")
    parser.add_argument("--batch", help="default: 1,8,32,256 for forward and 32,256,512 for update")
    parser.add_argument("--seconds", type=float, default=9.0, help="time for each device of each case, all rounds")
    parser.add_argument("--rounds", type=int, default=3, help="how often the programs take turns")
    parser.add_argument("--threads", type=int, help="threads of both programs on the processor; default: all cores")
    parser.add_argument("--json", type=pathlib.Path, help="where everything is written")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    load = os.getloadavg()[0]
    documents, failures = race(arguments)
    if not any(documents.values()):
        sys.exit("neither program measured anything: see their messages above")
    measurements = {program: unite(own) for program, own in documents.items()}
    document = merge(documents, measurements)
    header(document)
    print(f"# load average: {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end")
    print(f"\nmilliseconds per operation, medians of {arguments.rounds} rounds\n")
    table(measurements)
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    if failures:
        sys.exit("failed, see above:\n  " + "\n  ".join(dict.fromkeys(failures)))


if __name__ == "__main__":
    main()
