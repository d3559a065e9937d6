#!/usr/bin/env python3
"""bench-report.py REPORT [FIGURE…]: reads target/bench/report.json as any script may.

Fails where a figure is neither there nor skipped with a reason, where a field is missing or makes no sense, or where a goal is not the
one that this file names: a goal is not lowered in silence. Whether goals are met is told and fails nothing, since that is the machine's
matter too. Named figures are those that were asked for (`make bench ONLY=…`); without a name it is all of them.
"""
import json
import math
import re
import signal
import sys

LEVELS = (1, 16, 64, 256, 1024)
SERVICES = ("invoice", "dunning-engine", "notification", "reporting")
A_MILLION = "a million a second"
# Of each figure its variants (None: the figure itself) with their goal: a ratio, or None.
FIGURES = {
    "append_sqlite": {**{str(n): 0.8 if n == 256 else None for n in LEVELS}, "disk": 0.9},
    "append_postgres": {str(n): 0.8 if n == 256 else None for n in LEVELS},
    "append_pgbench": {None: 4},
    "grpc_unary": {"1": None, "16": None, "64": 0.6, "256": 0.6},
    "grpc_bulk": {"1": 0.8, "1/bare": None, "4": 0.8, "4/bare": None},
    "grpc_bulk_postgres": {"1": 0.8, "1/bare": None, "4": 0.8, "4/bare": None},
    "relay": {None: 0.7, "start": None},
    "project": {None: 0.6},
    "freshness": {"gate": None, "view": 1 / 4},
    "replay": {None: 0.5},
    "report": {"aging_today": 1 / 1.5, "aging_past": 1 / 1.5, "delinquency_100": 1 / 1.5, "payer": 1},
    "rebuild": {None: 0.5, "pause": 1, "large": 0.5, "large/pause": 1},
    "timers": {None: 0.5, "memory": None},
    "timers_postgres": {None: 0.5, "memory": None},
    # Of each size but the smallest; which sizes those are is in the report.
    "growth": {"append": 1 / 1.3, "project": 1 / 1.3, "report": 1 / 1.3, "timers": 1 / 1.3, "memory": 1},
    "codecs": {
        "boleto_line_decode": A_MILLION,
        "boleto_line_encode": A_MILLION,
        "pix_decode": None,
        "pix_encode": None,
        "cnab_read": A_MILLION,
        "cnab_write": A_MILLION,
    },
    "footprint": {
        "start": 1,
        "idle": 1,
        "load": None,
        **{f"idle/{service}": 1 for service in SERVICES},
        **{f"load/{service}": None for service in SERVICES},
        "binary": None,
        "disk": None,
    },
}
# Where there is no PostgreSQL and Kafka they are skipped together, as footprint/services.
OF_SERVICES = {f"{of}/{service}" for of in ("idle", "load") for service in SERVICES}
# Only in a run for hours.
OPTIONAL = {"rebuild/large", "rebuild/large/pause"}
BOUNDS = {"report/payer": 20, "rebuild/large/pause": 100, "rebuild/pause": 100, "growth/memory": 2000, "footprint/start": 300, "footprint/idle": 120} | {
    f"footprint/idle/{service}": 40 for service in SERVICES
}
MACHINE = ("processor", "cores", "memory", "system", "file_system")
VERSIONS = ("regua", "profile", "sqlite", "librdkafka")
# Of `make bench`, which has them all; `regua bench` alone knows neither what built it nor the broker.
OF_MAKE = ("commit", "rustc", "kafka", "postgres")
PLAN = ("rounds", "round_ms", "payers", "invoices")
TEXTS = ("name", "unit", "reference")
FIELDS = ("name", "value", "unit", "p50_ms", "p99_ms", "reference", "reference_value", "ratio", "goal_ratio")
WITH_LATENCY = ("append_sqlite/256", "append_postgres/256", "grpc_unary/64", "freshness/view", "report/payer")


def near(one, other):
    return one is not None and other is not None and abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def variant_of(name, figure):
    """What of a figure a name is, with the size of a portfolio left out: how large that is, is the run's matter."""
    variant = None if name == figure else name[len(figure) + 1 :]
    if figure != "growth" or variant == "memory":
        return variant
    sized = re.fullmatch(r"(\w+)/\d+", variant or "")
    return sized[1] if sized else f"{variant} without a size"


def shape_faults(report):
    """Faults of a file that is no report at all; nothing else can be said of one."""
    if not isinstance(report, dict):
        yield "it is no object"
        return
    for part, kind in (("machine", dict), ("versions", dict), ("plan", dict), ("figures", list), ("skipped", list)):
        if not isinstance(report.get(part), kind):
            yield f"there is no {part}, or it is no {'object' if kind is dict else 'list'}"
            return
    for part in ("machine", "versions"):
        yield from (f"{part}.{key} is no text" for key, value in report[part].items() if not isinstance(value, str))
    yield from (f"plan.{key} is no number" for key, value in report["plan"].items() if not is_number(value))
    for number, entry in enumerate(report["figures"]):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            yield f"figure {number} has no name"
            continue
        for field in FIELDS:
            if field not in entry:
                yield f"{entry['name']} has no {field}"
            elif field in TEXTS and not (isinstance(entry[field], str) and entry[field]):
                yield f"{entry['name']} has an empty {field}"
            elif field not in TEXTS and not (is_number(entry[field]) or (entry[field] is None and field != "value")):
                yield f"{entry['name']} has as {field} {entry[field]!r}"
    for left in report["skipped"]:
        if not isinstance(left, dict) or not all(isinstance(left.get(key), str) and left[key] for key in ("name", "reason")):
            yield f"what is skipped has a name and a reason, and {left!r} has not"


def faults_of(entry, figure):
    name, goal, ratio, value, reference = (entry[key] for key in ("name", "goal_ratio", "ratio", "value", "reference_value"))
    if not (value > 0 or (value == 0 and name.endswith("/pause"))):
        yield f"{name} is {value}"
    if reference is not None and reference <= 0:
        yield f"{name} has a reference of {reference}"
    if name in BOUNDS and not near(reference, BOUNDS[name]):
        yield f"{name} may be {reference}, should be {BOUNDS[name]}"
    wanted = FIGURES[figure].get(variant_of(name, figure))
    if wanted == A_MILLION:
        wanted = 1_000_000 / reference if reference else None
    if (wanted is None) != (goal is None) or (wanted is not None and not near(goal, wanted)):
        yield f"{name} has the goal {goal}, should have {wanted}"
    if goal is not None and ratio is None and value > 0:
        yield f"{name} has a goal and no ratio"
    of_both = [one / other for one, other in ((value, reference), (reference, value)) if one is not None and other]
    if ratio is not None and not any(near(ratio, of) for of in of_both):
        yield f"{name} has the ratio {ratio} of {value} and {reference}"
    middle, slow = entry["p50_ms"], entry["p99_ms"]
    if name in WITH_LATENCY and not (middle and slow):
        yield f"{name} has no latency"
    if (middle is None) != (slow is None) or (middle is not None and not 0 <= middle <= slow):
        yield f"{name} has a median of {middle} ms and a 99th percentile of {slow}"


def faults(report, asked):
    by_make = OF_MAKE if "commit" in report["versions"] else ()
    for part, keys in (("machine", MACHINE), ("versions", VERSIONS + by_make), ("plan", PLAN)):
        yield from (f"{part} names no {key}" for key in keys if not report[part].get(key))
    skipped = {left["name"] for left in report["skipped"]}
    names = [entry["name"] for entry in report["figures"]]
    yield from (f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1)
    for figure in asked:
        entries = [entry for entry in report["figures"] if entry["name"].split("/")[0] == figure]
        there = {variant_of(entry["name"], figure) for entry in entries}
        if figure in skipped:
            if entries:
                yield f"{figure} is there and skipped"
            continue
        left = {variant for variant in FIGURES[figure] if f"{figure}/{variant}" in OPTIONAL}
        if f"{figure}/services" in skipped:
            left |= OF_SERVICES
        yield from (f"{figure} has no {variant or 'figure'}" for variant in FIGURES[figure] if variant not in there | left)
        for entry in entries:
            if variant_of(entry["name"], figure) not in FIGURES[figure]:
                yield f"nobody knows {entry['name']}"
            else:
                yield from faults_of(entry, figure)
    yield from (f"nobody asked for {name}" for name in names if name.split("/")[0] not in asked)


def told(report):
    goals = [entry for entry in report["figures"] if entry["goal_ratio"] is not None]
    # A pause of nothing has no ratio, and no fault.
    missed = [entry for entry in goals if entry["ratio"] is not None and entry["ratio"] < entry["goal_ratio"]]
    yield f"{len(report['figures'])} figures, {len(goals) - len(missed)} of {len(goals)} goals met, {len(report['skipped'])} skipped"
    yield from (f"  not met: {entry['name']} {entry['ratio']:.2f} of {entry['goal_ratio']:.2f}" for entry in missed)
    if report["versions"].get("profile") != "release" or report["plan"]["rounds"] < 3:
        yield "  none of it says anything of speed: that wants a release build and three rounds"


def main(arguments):
    if not arguments or any(name not in FIGURES for name in arguments[1:]):
        print(f"usage: bench-report.py REPORT [{'|'.join(FIGURES)}]…", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    found = list(shape_faults(report)) or list(faults(report, arguments[1:] or list(FIGURES)))
    for fault in found:
        print(f"{arguments[0]}: {fault}", file=sys.stderr)
    if not found:
        print("\n".join(told(report)))
    return 1 if found else 0


if __name__ == "__main__":
    # Whoever reads only the first lines is no fault.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
