#!/usr/bin/env python3
"""bench-report.py REPORT [FIGURE…]: reads target/bench/report.json as any script may.

Fails where a figure is neither there nor skipped with a reason, where a field is missing or makes no sense, or where a goal is not the
one that this file names: a goal is not lowered in silence. Whether goals are met is told and fails nothing, since that is the machine's
matter too. Named figures are those that were asked for (`make bench ONLY=…`); without a name it is all of them.
"""
import json
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
# Only in a run for hours.
OPTIONAL = {"rebuild/large", "rebuild/large/pause"}
BOUNDS = {"report/payer": 20, "rebuild/large/pause": 100, "rebuild/pause": 100, "growth/memory": 2000, "footprint/start": 300, "footprint/idle": 120} | {
    f"footprint/idle/{service}": 40 for service in SERVICES
}
MACHINE = ("processor", "cores", "memory", "system", "file_system")
VERSIONS = ("regua", "profile", "sqlite", "librdkafka")
# Of `make bench`, which has them all; `regua bench` alone knows neither what built it nor the broker.
OF_MAKE = ("commit", "rustc", "kafka", "postgres")
FIELDS = ("name", "value", "unit", "p50_ms", "p99_ms", "reference", "reference_value", "ratio", "goal_ratio")
WITH_LATENCY = ("append_sqlite/256", "append_postgres/256", "grpc_unary/64", "freshness/view", "report/payer")


def near(one, other):
    return one is not None and other is not None and abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def expected_goal(figure, variant):
    """The goal of a variant as it is in the report, by the name it has there."""
    goals = FIGURES[figure]
    return goals.get(variant.rsplit("/", 1)[0] if figure == "growth" and variant != "memory" else variant)


def faults_of(entry, figure, variant):
    name = entry["name"]
    for field in FIELDS:
        if field not in entry:
            yield f"{name} has no {field}"
            return
    goal, ratio, value, reference = (entry[key] for key in ("goal_ratio", "ratio", "value", "reference_value"))
    if not entry["unit"] or not entry["reference"]:
        yield f"{name} has an empty unit or reference"
    if not (value > 0 or name.endswith("/pause")):
        yield f"{name} is {value}"
    if name in BOUNDS and not near(reference, BOUNDS[name]):
        yield f"{name} may be {reference}, should be {BOUNDS[name]}"
    wanted = expected_goal(figure, variant)
    if wanted == A_MILLION:
        wanted = 1_000_000 / reference if reference else None
    if (wanted is None) != (goal is None) or (wanted is not None and not near(goal, wanted)):
        yield f"{name} has the goal {goal}, should have {wanted}"
    if goal is not None and ratio is None and value > 0:
        yield f"{name} has a goal and no ratio"
    of_both = [one / other for one, other in ((value, reference), (reference, value)) if one is not None and other]
    if ratio is not None and not any(near(ratio, of) for of in of_both):
        yield f"{name} has the ratio {ratio} of {value} and {reference}"
    if name in WITH_LATENCY and not (entry["p50_ms"] and entry["p99_ms"]):
        yield f"{name} has no latency"
    if entry["p50_ms"] is not None and not 0 <= entry["p50_ms"] <= entry["p99_ms"]:
        yield f"{name} has a median of {entry['p50_ms']} ms and a 99th percentile of {entry['p99_ms']}"


def faults(report, asked):
    for part in ("machine", "versions", "figures", "skipped"):
        if part not in report:
            yield f"there is no {part}"
            return
    by_make = OF_MAKE if "commit" in report["versions"] else ()
    for part, keys in (("machine", MACHINE), ("versions", VERSIONS + by_make)):
        yield from (f"{part} names no {key}" for key in keys if not report[part].get(key))
    skipped = {left["name"] for left in report["skipped"] if left["reason"]}
    entries = {entry["name"]: entry for entry in report["figures"]}
    if len(entries) != len(report["figures"]):
        yield "two figures have one name"
    for figure in asked:
        variants = {name[len(figure) + 1 :] or None: entry for name, entry in entries.items() if name.split("/")[0] == figure}
        if figure in skipped:
            continue
        there = {variant.rsplit("/", 1)[0] if figure == "growth" and variant != "memory" else variant for variant in variants}
        alone = {f"{of}/{service}" for of in ("idle", "load") for service in SERVICES} if not report["versions"].get("postgres") else set()
        yield from (f"{figure} has no {variant or 'figure'}" for variant in FIGURES[figure] if variant not in there | alone and f"{figure}/{variant}" not in OPTIONAL)
        yield from (f"nobody knows {figure}/{variant}" for variant in there if variant not in FIGURES[figure])
        for variant, entry in variants.items():
            yield from faults_of(entry, figure, variant)
    yield from (f"nobody asked for {name}" for name in entries if name.split("/")[0] not in asked)


def main(arguments):
    if not arguments or any(name not in FIGURES for name in arguments[1:]):
        print(f"usage: bench-report.py REPORT [{'|'.join(FIGURES)}]…", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        report = json.load(file)
    found = list(faults(report, arguments[1:] or list(FIGURES)))
    for fault in found:
        print(f"{arguments[0]}: {fault}", file=sys.stderr)
    goals = [entry for entry in report.get("figures", []) if entry.get("goal_ratio") is not None]
    missed = [entry for entry in goals if entry["ratio"] is not None and entry["ratio"] < entry["goal_ratio"]]
    print(f"{len(report.get('figures', []))} figures, {len(goals) - len(missed)} of {len(goals)} goals met, {len(report.get('skipped', []))} skipped")
    for entry in missed:
        print(f"  not met: {entry['name']} {entry['ratio']:.2f} of {entry['goal_ratio']:.2f}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
