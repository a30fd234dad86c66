"""个人信息保存: the registry with what the jobs did last."""

from datetime import timedelta
from pathlib import Path

import httpx

from deploy.jobs import jobs
from shared.clock import now
from shared.retention.registry import FOREVER, PERSON, PHOTO, REGISTRY
from shared.retention.service import ERASED_NAME
from shared.roster.roles import Role
from shared.scheduling import runner
from tests.factories import member, small_county
from tests.shared.identity.test_matrix import act_as
from tests.shared.retention.test_people import OVER, leave, run

PAGE = "/desk/retention"


async def test_the_desk_sees_every_kind_and_the_last_run(client: httpx.AsyncClient) -> None:
    """Purpose and period of all of them; what a job said, or that it has not run."""
    town = await small_county()
    await act_as(client, town.department)
    page = (await client.get(PAGE)).text
    for kept in REGISTRY:
        assert kept.what in page
        assert kept.purpose in page
        assert kept.term in page
    assert page.count("还没有运行") == sum(bool(kept.days) for kept in REGISTRY)
    assert "清除离任人员信息 0 人" not in page
    by_name = {job.name: job for job in jobs(Path("nowhere"))}
    await runner.run_due(by_name[PERSON.job], now())
    page = (await client.get(PAGE)).text
    assert "清除离任人员信息 0 人" in page
    assert "今天" in page


async def test_a_failed_run_says_so(client: httpx.AsyncClient) -> None:
    """What went wrong stands on the desk's first page; here, that it is not done."""
    town = await small_county()
    [job] = [one for one in jobs(Path("nowhere")) if one.name == PHOTO.job]

    async def broken(*_: object) -> str:
        raise OSError("disk")

    await runner.run_due(type(job)(job.name, job.trigger, job.periods, broken), now())
    await act_as(client, town.department)
    page = (await client.get(PAGE)).text
    assert "没有完成，下次再试" in page
    assert "OSError" not in page


async def test_pages_open_about_somebody_who_was_erased(client: httpx.AsyncClient) -> None:
    """The person, the post that they held, its history: without the name and with no phone."""
    town = await small_county()
    gone = town.worker
    await leave(gone)
    assert await run(OVER) == "清除离任人员信息 1 人"
    await act_as(client, town.department)
    person = f"/desk/roster/people/{gone.person_id}"
    for path in (
        person,
        f"{person}/edit",
        f"/desk/roster/posts/{gone.post_id}",
        f"/desk/roster/people?q={ERASED_NAME}",
        f"/appraisal/desk/duty/people/{gone.person_id}",
        f"/appraisal/desk/people/{gone.person_id}/shields",
    ):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert gone.name not in page.text, path
        assert gone.phone[-4:] not in page.text, path


async def test_only_who_may_see_the_settings(client: httpx.AsyncClient) -> None:
    """Department, auditor and administrator; nobody else."""
    town = await small_county()
    county = town.units["421222"]
    for someone in (await member(Role.AUDITOR, county), await member(Role.ADMIN, county)):
        await act_as(client, someone)
        assert (await client.get(PAGE)).status_code == 200
    await act_as(client, town.instructor)
    assert (await client.get(PAGE)).status_code == 404


def test_periods_read_as_people_say_them() -> None:
    """Years where they are whole, else days; what is never erased says why."""
    assert PERSON.term.startswith("最后一次任职结束后 3 年；")
    assert {kept.term for kept in REGISTRY if kept.days == 90} >= {"取货或作废后 90 天"}
    assert all(kept.term.startswith(FOREVER) for kept in REGISTRY if not kept.days)
    assert timedelta(days=PERSON.days) >= timedelta(days=3 * 365 + 1), "never before three years"
