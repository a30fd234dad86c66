"""The what-if: today's rules give history exactly, other rules say who moves and what it costs."""

from decimal import Decimal
from random import Random

import httpx
import msgspec
import pytest

from appraisal.cycle.rules import Stage
from appraisal.notice import service as notice
from appraisal.ranking import freezing
from appraisal.scorecard import calibrating, queries, scoring_queries
from appraisal.scorecard.rules import Band, Grade, Scheme
from appraisal.scorecard.schemes import SHIPPED
from appraisal.scorecard.web_desk import fields_of
from appraisal.whatif import service
from shared.database import DB
from shared.errors import Invalid, NotFound
from shared.identity.actor import Actor
from tests.appraisal.casework.scene import actor_of, form, result, scene, served, sign
from tests.appraisal.cycle.stages import bring_to, opened
from tests.appraisal.cycle.test_web import post
from tests.appraisal.scorecard.scene import AFTER, scored_cycle
from tests.appraisal.scorecard.worlds import known_people, random_worker, stored_run
from tests.factories import COUNTY, acting, small_county
from tests.shared.identity.test_matrix import act_as

EVERYTHING = "SELECT md5(string_agg(s::text, ',' ORDER BY s::text)) FROM appraisal.{} s"


@pytest.fixture
async def department(rollback: None) -> Actor:
    """The department of the small county."""
    return await acting((await small_county()).department, desk=True)


@pytest.mark.parametrize("seed", range(3))
async def test_the_rules_in_force_reproduce_history(department: Actor, seed: int) -> None:
    """A closed cycle, calibrated people among them: nobody moves, to the hundredth."""
    random = Random(seed)
    cycle_id = await opened(department, AFTER)
    await bring_to(department, cycle_id, Stage.SCORE, AFTER)
    workers = [random_worker(random, even=True) for _ in range(80)]
    await known_people(workers)
    run_id = await stored_run(cycle_id, workers)
    await scoring_queries.score([COUNTY], [run_id])
    await freezing.freeze(COUNTY, run_id)
    await queries.make_current(COUNTY, cycle_id, run_id, len(workers))
    await bring_to(department, cycle_id, Stage.REVIEW, AFTER)
    for facts in workers[:3]:
        score = Decimal(random.randint(0, 10000)) / 100
        await calibrating.calibrate(department, cycle_id, facts["person_id"], score, "核实", AFTER)
    await bring_to(department, cycle_id, Stage.NOTICE, AFTER)
    for facts in workers[3:23]:
        # Granted on objection: 优秀 exceeds its share, and nobody else loses it for that.
        score = Decimal(100)
        await calibrating.calibrate(department, cycle_id, facts["person_id"], score, "复核", AFTER)
    await bring_to(department, cycle_id, Stage.CLOSED, AFTER)
    outcome = await service.replay(department, cycle_id, SHIPPED.scheme)
    assert all(then == now for _, then, now in outcome.counts)
    assert (outcome.people, outcome.moved, outcome.crossing) == (80, 0, [])


async def test_other_rules_say_who_crosses_and_what_it_costs(department: Actor) -> None:
    """A lower line for 优秀 lets people in, each worth 30 points at the end of a year."""
    random = Random(5)
    cycle_id = await opened(department, AFTER)
    workers = [random_worker(random, even=False) for _ in range(80)]
    run_id = await stored_run(cycle_id, workers)
    await scoring_queries.score([COUNTY], [run_id])
    await queries.make_current(COUNTY, cycle_id, run_id, len(workers))
    bands = (
        Band(Grade.FAIL, 0, 50),
        Band(Grade.BASIC, 50, 60),
        Band(Grade.GOOD, 60, 75),
        Band(Grade.EXCELLENT, 75, 100),
    )
    easier = msgspec.structs.replace(Scheme(), bands=bands, excellent_share=40)
    before = [await DB.fetchval(EVERYTHING.format(name)) for name in ("score", "input", "run")]
    outcome = await service.replay(department, cycle_id, easier)
    assert outcome.new_excellent > 0
    assert outcome.cost == outcome.new_excellent * 300
    counts = {name: (then, now) for name, then, now in outcome.counts}
    assert sum(then for then, _ in counts.values()) == 80
    assert sum(now for _, now in counts.values()) == 80
    won = outcome.new_excellent - outcome.lost_excellent
    assert counts["优秀"][1] - counts["优秀"][0] == won
    after = [await DB.fetchval(EVERYTHING.format(name)) for name in ("score", "input", "run")]
    assert before == after
    with pytest.raises(Invalid):
        await service.replay(department, cycle_id, msgspec.structs.replace(Scheme(), merit=20))


async def test_a_stranger_replays_nothing(rollback: None) -> None:
    """The department and the auditor only."""
    scene = await scored_cycle(Stage.CLOSED)
    with pytest.raises(NotFound):
        await service.replay(await acting(scene.town.instructor), scene.cycle_id, Scheme())


async def test_rules_are_tried_on_a_page(client: httpx.AsyncClient) -> None:
    """The form begins with the run's own rules; trying them says that nothing was changed."""
    scene = await scored_cycle(Stage.CLOSED)
    await act_as(client, scene.town.department)
    path = f"/appraisal/desk/cycles/{scene.cycle_id}/whatif"
    assert (await client.get(path)).status_code == 200
    values = {name: str(value) for name, value in fields_of(Scheme()).items()}
    tried = await post(client, path, **values)
    assert "没有改动任何数据" in tried.text
    assert "结果已经公布，下面的变化不会发生" in tried.text
    moved = await post(client, path, **(values | {"attendance": "10", "satisfaction": "40"}))
    assert "隽水镇 隽1社区居委会 隽1第1网格" in moved.text
    wrong = await post(client, path, **(values | {"merit": "11"}))
    assert (wrong.status_code, "合计是 101" in wrong.text) == (422, True)


async def test_a_lifted_veto_is_lifted_under_other_rules_too(rollback: None) -> None:
    """Under the rules in force nobody moves; a higher line moves whoever was granted a grade."""
    made = await scene()
    worker = made.town.worker
    await result(made, worker, "fail", "82.53", note="veto")
    await served(made, worker)
    me = await actor_of(made, worker)
    case_id = await notice.object_to(
        me, made.cycle_id, me.person_id, form(made, "raised"), made.now
    )
    await sign(
        made, made.town.instructor, case_id, "review_changed", score="82.53", veto_lifted="1"
    )
    department = await actor_of(made, made.town.department)
    assert (await service.replay(department, made.cycle_id, Scheme())).moved == 0
    bands = (
        Band(Grade.FAIL, 0, 60),
        Band(Grade.BASIC, 60, 85),
        Band(Grade.GOOD, 85, 90),
        Band(Grade.EXCELLENT, 90, 100),
    )
    tried = msgspec.structs.replace(Scheme(), bands=bands)
    [move] = (await service.replay(department, made.cycle_id, tried)).crossing
    assert (move.before, move.after, move.grades) == (8253, 8253, ("合格", "基本合格"))
