"""Random workers with everything that can be missing, and the rows to store them."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from appraisal.scorecard.rules import Band, Component, Grade, Scheme
from appraisal.scorecard.schemas import Facts
from appraisal.scorecard.schemes import SHIPPED
from shared.clock import now
from shared.database import DB
from shared.ids import new_id
from tests.factories import COUNTY, STARTED

COLUMNS = [field.name for field in msgspec.structs.fields(Facts)]
PERIOD = 181


def worker(**given: Any) -> dict[str, Any]:
    """A worker with full marks in everything that is counted; state what differs."""
    facts: dict[str, Any] = {
        "person_id": new_id(),
        "name": "张三",
        "grid_code": "421222100001001",
        "grid_type": "rural",
        "employment_type": "village_paid",
        "days": PERIOD,
        "days_rural": PERIOD,
        "days_community": 0,
        "days_other": 0,
        "grids": 1,
        "rostered": 1200,
        "on_duty": 1180,
        "on_leave": 20,
        "missing_months": 0,
        "failed_checks": 0,
        "orders_total": None,
        "orders_good": None,
        "data_total": 20,
        "data_good": 20,
        "settled_total": None,
        "settled_good": None,
        "satisfaction": 1000,
        "half_width": 50,
        "ballots": 25,
        "awarded": 1500,
        "deducted": 0,
        "hours": 1200,
        "hours_required": 1200,
        "test": 10000,
        "commended_township": 0,
        "commended_county": 0,
        "veto": False,
        "veto_reason": "",
        "first_final": None,
    }
    return facts | given


def random_worker(random: Random, *, even: bool) -> dict[str, Any]:
    """Anybody; ``even`` makes many equal scores."""

    def some(value: Any, chance: float = 0.8) -> Any:
        return value if random.random() < chance else None

    kinds = ("rural", "community", "other")
    kind = random.choice(kinds[: random.choice((1, 2, 3))])
    days = random.choice((PERIOD, PERIOD, PERIOD, random.randint(1, PERIOD)))
    moved = random.choice((0, 0, random.randint(0, days)))
    spent = dict.fromkeys(kinds, 0)
    spent[kind] = days - moved
    spent[random.choice(kinds)] += moved
    rostered = some(random.choice((0, 1200, random.randint(1, 1800))))
    leave = random.choice((5, 5, 5, 1))
    data = some(random.choice((0, 10, 20)))
    orders = some(random.choice((0, 7)), 0.2)
    settled = some(3, 0.2)
    steps = 4 if even else 40
    return worker(
        grid_code=f"42122210{random.choice('01')}00{random.choice('12')}001",
        grid_type=kind,
        days=days,
        **{f"days_{name}": count for name, count in spent.items()},
        rostered=rostered,
        on_duty=None if rostered is None else random.randint(rostered // 2, rostered),
        on_leave=None if rostered is None else random.randint(0, rostered // leave),
        failed_checks=random.choice((0, 0, 0, 1, 2, 30)),
        orders_total=orders,
        orders_good=None if orders is None else random.randint(0, orders),
        data_total=data,
        data_good=None if data is None else random.randint(data // 2, data),
        settled_total=settled,
        settled_good=None if settled is None else random.randint(0, settled),
        satisfaction=some(1000 - random.randint(0, steps) * (400 // steps)),
        awarded=random.choice((0, 1000, 1500, 3000, random.randint(-50, 4000))),
        deducted=random.choice((0, 0, 0, 15, 200)),
        hours=some(random.randint(0, steps) * 1300 // steps),
        hours_required=some(random.choice((1200, 1200, 0)), 0.95),
        test=some(random.randint(0, steps) * 10000 // steps),
        commended_township=random.choice((0, 0, 1, 4)),
        commended_county=random.choice((0, 0, 1, 4)),
        veto=random.random() < 0.05,
        first_final=some(random.randint(0, 10000)),
    )


def random_scheme(random: Random) -> Scheme:
    """A scheme that may come into force."""
    cuts = sorted(random.randint(0, 20) for _ in range(6))
    ends = [0, *(cut * 5 for cut in cuts), 100]
    weights = [high - low for low, high in pairwise(ends)]
    low, middle, high = sorted(random.sample(range(1, 100), 3))
    return Scheme(
        **{name.value: weight for name, weight in zip(Component, weights, strict=True)},
        check_penalty=random.randint(0, 3),
        plus_cap=random.randint(0, 8),
        minus_cap=random.randint(0, 20),
        merit_cap=random.choice((100, 150, 200)),
        min_days=random.choice((0, 60, 90)),
        excellent_share=random.choice((0, 15, 40, 100)),
        excellent_from=random.choice((1, 5, 9)),
        first_share=random.choice((0, 40, 50)),
        leave_from=random.choice((0, 30, 60)),
        bands=(
            Band(Grade.FAIL, 0, low),
            Band(Grade.BASIC, low, middle),
            Band(Grade.GOOD, middle, high),
            Band(Grade.EXCELLENT, high, 100),
        ),
    )


async def known_people(workers: Sequence[dict[str, Any]], county_id: int = COUNTY) -> None:
    """The workers as people of the roster, for what tells or serves them."""
    await DB.executemany(
        "INSERT INTO shared.person (county_id, id, name, name_pinyin, name_initials, phone_cipher,"
        " phone_hmac, phone_last4, employment_type, full_time, version, created_at)"
        " VALUES ($1, $2, $3, 'zhangsan', 'zs', '', $4, '0000', $5, true, 1, $6)",
        [
            (county_id, one["person_id"], one["name"], one["person_id"].bytes,
             one["employment_type"], now())
            for one in workers
        ],
    )  # fmt: skip


async def rostered(workers: Sequence[dict[str, Any]]) -> None:
    """The workers as gridworkers of their grids since the year began; the units are there."""
    await known_people(workers)
    given = [(COUNTY, new_id(), new_id(), seat, one) for seat, one in enumerate(workers, start=2)]
    await DB.executemany(
        "INSERT INTO shared.post (county_id, id, unit_id, role, seat, grids)"
        " SELECT $1, $2, id, 'gridworker', $3, '{}' FROM shared.unit"
        " WHERE county_id = $1 AND code = $4",
        [
            (county_id, post_id, seat, one["grid_code"])
            for county_id, post_id, _, seat, one in given
        ],
    )
    await DB.executemany(
        "INSERT INTO shared.assignment (county_id, id, post_id, person_id, valid_from, reason,"
        " recorded_at) VALUES ($1, $2, $3, $4, $5, '', $6)",
        [
            (county_id, assignment_id, post_id, one["person_id"], STARTED, now())
            for county_id, post_id, assignment_id, _, one in given
        ],
    )


async def stored_run(
    cycle_id: UUID,
    workers: Sequence[dict[str, Any]],
    scheme: Scheme | None = None,
    *,
    annual: bool = False,
    county_id: int = COUNTY,
) -> UUID:
    """A run with these workers as its inputs, not scored yet."""
    run_id = new_id()
    await DB.execute(
        "INSERT INTO appraisal.run (county_id, id, cycle_id, number, current, scheme, annual,"
        " period_days, people, made_by, made_name, made_at, note)"
        " SELECT $1, $2, $3, COALESCE(max(number), 0) + 1, false, $4, $5, $6, $7, $8, '', $9, ''"
        " FROM appraisal.run WHERE county_id = $1 AND cycle_id = $3",
        county_id,
        run_id,
        cycle_id,
        msgspec.json.encode(scheme or SHIPPED.scheme).decode(),
        annual,
        PERIOD,
        len(workers),
        new_id(),
        now(),
    )
    places = ", ".join(f"${number}" for number in range(3, 3 + len(COLUMNS)))
    await DB.executemany(
        f"INSERT INTO appraisal.input (county_id, run_id, {', '.join(COLUMNS)})"
        f" VALUES ($1, $2, {places})",
        [[county_id, run_id, *(facts[name] for name in COLUMNS)] for facts in workers],
    )
    return run_id
