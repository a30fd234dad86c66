"""The score said a second time, from the domain handbook, in fractions and plain loops.

It shares nothing with the product but the words of its columns. Points are Fractions of a point;
what the product keeps in hundredths is compared after one rounding half up, where the rules round.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from statistics import median
from typing import Any

Worker = Mapping[str, Any]
Rules = Mapping[str, Any]
TYPES = ("rural", "community", "other")


def half_up(value: Fraction, step: Fraction = Fraction(1, 100)) -> Fraction:
    """To the nearest step, the half upwards."""
    return floor(value / step + Fraction(1, 2)) * step


def here(worker: Worker, rules: Rules) -> Fraction:
    """The share of the days that are left after long leave; 1 where there was none."""
    leave = worker["on_leave"]
    if not rules["leave_from"] or leave is None or Fraction(leave, 10) < rules["leave_from"]:
        return Fraction(1)
    return max(1 - Fraction(leave, worker["rostered"]), Fraction(0))


def rate(worker: Worker, rules: Rules, period_days: int) -> Fraction | None:
    """Points (in 0.1) as if there for the whole period; None for who never was."""
    days = worker["days"] * here(worker, rules)
    if not days:
        return None
    return half_up(max(worker["awarded"], 0) * period_days / days, Fraction(1))


def typical(workers: Sequence[Worker], rules: Rules, period_days: int) -> dict[str, Fraction]:
    """The median of those long enough in post, by type of grid; 0 where there is nobody."""
    rates = defaultdict(list)
    for worker in workers:
        points = rate(worker, rules, period_days)
        if points is not None and worker["days"] * here(worker, rules) >= rules["min_days"]:
            rates[worker["grid_type"]].append(points)
    return {kind: median(rates[kind]) if rates[kind] else Fraction(0) for kind in TYPES}


def shares(
    worker: Worker, rules: Rules, medians: Mapping[str, Fraction], period_days: int
) -> dict[str, Fraction | None]:
    """Each component as a share of its weight, None where it is missing."""
    found: dict[str, Fraction | None] = dict.fromkeys(("orders", "data", "settled"))
    for name in found:
        if worker[f"{name}_total"]:
            found[name] = Fraction(worker[f"{name}_good"], worker[f"{name}_total"])
    found["attendance"] = None
    if worker["rostered"] and rules["attendance"]:
        there = min(worker["on_duty"] + worker["on_leave"], worker["rostered"])
        points = rules["attendance"] * Fraction(there, worker["rostered"])
        points -= rules["check_penalty"] * worker["failed_checks"]
        found["attendance"] = max(points, Fraction(0)) / rules["attendance"]
    liked = worker["satisfaction"]
    found["satisfaction"] = None if liked is None else Fraction(liked, 1000)
    found["merit"] = None
    days = {kind: worker[f"days_{kind}"] for kind in TYPES if medians[kind] > 0}
    points = rate(worker, rules, period_days)
    if points is not None and sum(days.values()):
        usual = sum(medians[kind] * count for kind, count in days.items()) / sum(days.values())
        cap = Fraction(rules["merit_cap"], 100)
        found["merit"] = min(points / usual, cap) / cap
    halves = []
    required = (worker["hours_required"] or 0) * here(worker, rules)
    if worker["hours"] is not None and required:
        halves.append(min(worker["hours"] / required, Fraction(1)))
    if worker["test"] is not None:
        halves.append(Fraction(worker["test"], 10000))
    found["training"] = sum(halves, Fraction(0)) / len(halves) if halves else None
    return {name: share if rules[name] else None for name, share in found.items()}


def appraise(
    workers: Sequence[Worker], rules: Rules, period_days: int, *, annual: bool
) -> dict[Any, dict[str, Any]]:
    """Person → components, totals and grade."""
    medians = typical(workers, rules, period_days)
    results: dict[Any, dict[str, Any]] = {}
    for worker in workers:
        there = shares(worker, rules, medians, period_days)
        weight = sum(rules[name] for name, share in there.items() if share is not None)
        points = {
            name: None if share is None else half_up(share * rules[name] * 100 / weight)
            for name, share in there.items()
        }
        praise = (
            rules["commend_township"] * worker["commended_township"]
            + rules["commend_county"] * worker["commended_county"]
        )
        total = None
        if weight:
            total = sum(value for value in points.values() if value is not None)
            total += min(praise, rules["plus_cap"])
            total -= min(Fraction(max(worker["deducted"], 0), 10), Fraction(rules["minus_cap"]))
            total = min(max(total, Fraction(0)), Fraction(100))
        period = total
        if annual and total is not None and worker["first_final"] is not None:
            share = Fraction(rules["first_share"], 100)
            first = Fraction(worker["first_final"], 100)
            total = half_up(share * first + (1 - share) * total)
        results[worker["person_id"]] = points | {"period_score": period, "final": total}
    for worker in workers:
        results[worker["person_id"]]["grade"] = grade(worker, workers, results, rules)
    return results


def grade(
    worker: Worker,
    workers: Sequence[Worker],
    results: Mapping[Any, Mapping[str, Any]],
    rules: Rules,
) -> str:
    """The band of the final score; the best only within the township's quota."""
    score = results[worker["person_id"]]["final"]
    if worker["veto"]:
        return "fail"
    if worker["days"] < rules["min_days"] or score is None:
        return "undetermined"
    lines = {band["grade"]: band["low"] for band in rules["bands"]}
    if score >= lines["excellent"]:
        return "excellent" if in_quota(worker, workers, results, rules) else "good"
    return next(name for name in ("good", "basic", "fail") if score >= lines[name])


def in_quota(
    worker: Worker,
    workers: Sequence[Worker],
    results: Mapping[Any, Mapping[str, Any]],
    rules: Rules,
) -> bool:
    """Ties are broken by satisfaction, then results; what is still tied is in or out together."""

    def key(other: Worker) -> tuple[Any, ...]:
        mine = results[other["person_id"]]
        liked = other["satisfaction"]
        done = sum(mine[name] or 0 for name in ("orders", "data", "settled"))
        return (mine["final"], -1 if liked is None else liked, done)

    line = next(band["low"] for band in rules["bands"] if band["grade"] == "excellent")
    town = [one for one in workers if one["grid_code"][:9] == worker["grid_code"][:9]]
    able = [
        one
        for one in town
        if not one["veto"]
        and one["days"] >= rules["min_days"]
        and (results[one["person_id"]]["final"] or 0) >= line
        and results[one["person_id"]]["final"] is not None
    ]
    quota = len(town) * rules["excellent_share"] // 100
    if len(town) >= rules["excellent_from"]:
        quota = max(quota, 1)
    return bool(sum(key(one) >= key(worker) for one in able) <= quota)
