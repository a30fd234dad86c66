"""The verifier looks at what was drawn and what was signed, and names the row that is not right."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from shared.database import DB
from tests.appraisal.objects import Things, things
from tests.appraisal.verifier.test_verifier import named, spoiled
from tests.conftest import Rollback


@pytest.fixture(scope="module")
async def world(database: str) -> AsyncIterator[Things]:
    """A drawn survey and cases with signed steps, once for the module."""
    with suppress(Rollback):
        async with DB.transaction():
            yield await things()
            raise Rollback


@pytest.fixture
async def made(world: Things, rollback: None) -> Things:
    """What a test spoils is whole again for the next one."""
    return world


async def test_a_sound_county_has_no_findings(made: Things) -> None:
    """Two surveys, an objection, a contest."""
    assert await named("I18", "I16 测评") == []


SAMPLES = {
    "DELETE FROM appraisal.survey_household WHERE county_id = $1 AND id = (SELECT id"
    " FROM appraisal.survey_household WHERE county_id = $1 LIMIT 1)": "应抽 30 户，抽了 29 户",
    "UPDATE appraisal.survey_grid SET households = 20 WHERE county_id = $1 AND id = (SELECT id"
    " FROM appraisal.survey_grid WHERE county_id = $1 LIMIT 1)": "抽样和递补却有 30 户",
    "UPDATE appraisal.survey_household SET grid_code = '421222999999999' WHERE county_id = $1"
    " AND id = (SELECT id FROM appraisal.survey_household WHERE county_id = $1"
    " ORDER BY grid_code DESC LIMIT 1)": "抽了 29 户",
    "UPDATE shared.unit SET closed_on = '2020-01-01' WHERE county_id = $1"
    " AND code = '421222100001001'": "名册里没有这个网格",
    "DELETE FROM appraisal.survey_grid WHERE county_id = $1"
    " AND grid_code = '421222100001001'": "冻结的名单里没有这个网格",
}


@pytest.mark.parametrize(("spoil", "words"), SAMPLES.items())
async def test_a_sample_holds_what_was_drawn_from_the_list(
    made: Things, spoil: str, words: str
) -> None:
    """As many households as the draw takes, of grids that the list and the roster know."""
    await spoiled(spoil)
    [finding] = await named("I16 测评样本")
    assert words in finding.detail
    assert finding.id


async def test_a_list_counts_its_households(made: Things) -> None:
    """The published number is the sum of the grids'."""
    await spoiled("UPDATE appraisal.survey SET households = households + 1 WHERE county_id = $1")
    assert [finding.invariant for finding in await named("I16 测评")] == ["I16 测评名单的户数"]


AUDITS = {
    "DELETE FROM shared.audit_event WHERE county_id = $1 AND object_id = $2": "没有相符的审计记录",
    "UPDATE shared.audit_event SET actor_id = id WHERE county_id = $1"
    " AND object_id = $2": "没有相符",
    "UPDATE shared.audit_event SET authority = 'chief@1' WHERE county_id = $1"
    " AND object_id = $2": "没有相符",
    "UPDATE appraisal.case_step SET effective_on = effective_on - 1 WHERE county_id = $1"
    " AND case_id = $2": "没有相符",
    "DELETE FROM appraisal.case_step WHERE county_id = $1 AND case_id = $2": "审计里有 raised",
}


@pytest.mark.parametrize(("spoil", "words"), AUDITS.items())
async def test_a_step_without_its_audit_is_named(made: Things, spoil: str, words: str) -> None:
    """Who signed, under which authority, with effect from when: both books say the same."""
    case_id = made.ids["case_id"]
    await spoiled(spoil, case_id)
    [finding] = await named("I18 事项的每一步")
    assert words in finding.detail
    assert finding.id == case_id


async def test_a_case_in_a_state_that_nobody_signed_is_named(made: Things) -> None:
    """The state is the last step's."""
    case_id = made.ids["case_id"]
    await spoiled(
        "UPDATE appraisal.case_file SET state = 'told' WHERE county_id = $1 AND id = $2", case_id
    )
    assert [one.id for one in await named("I18")] == [case_id]
