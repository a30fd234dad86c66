"""The machines and their engine: no way out without due process, whatever is tried."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal.casework.machines import EXITS, MACHINES, OBJECTION
from appraisal.casework.rules import (
    AHEAD,
    BACK,
    Machine,
    Need,
    Outcome,
    Signed,
    Step,
    Term,
    World,
    done,
    lapses,
    next_steps,
    outcome,
    refusal,
    terms,
)
from shared.roster.roles import Employment

FORCED = {"dismissed", "returned", "replaced", "role_ended", "agreement_ended", "recalled"}
"""Endings against the will, said once more than in the code."""
DAY = date(2026, 9, 1)
PEOPLE = [UUID(int=number) for number in range(1, 5)]


def last_day(since: date, term: Term) -> date:
    """An even calendar: seven days for everything, ninety for the longest spans."""
    long = term.span in {"plan", "recheck", "dismissal", "resignation", "term_end"}
    return since + timedelta(days=40 if long else 7)


def ends(step: Step, chain: list[Signed]) -> dict[Term, date]:
    found = {}
    for term in terms(step):
        days = [one.effective_on for one in chain if one.key in term.since]
        if days:
            found[term] = last_day(days[-1], term)
    return found


def walks(machine: Machine, *, longest: int = 30) -> Iterator[tuple[Step, ...]]:
    """Every way through a machine that visits no step twice."""

    def onward(path: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
        further = machine.following(path[-1].key)
        new = [step for step in further if step not in path] if len(path) < longest else []
        if not new:
            yield path
        for step in new:
            yield from onward((*path, step))

    for opening in machine.openings:
        yield from onward((opening,))


def faults(machine: Machine) -> list[str]:
    """What is wrong with a machine's data: unknown steps, ends that do not end, dead steps."""
    keys = [step.key for step in machine.steps]
    found = [f"{key} twice" for key in set(keys) if keys.count(key) > 1]
    for step in machine.steps:
        named = [*step.after, *step.fresh, *(key for term in terms(step) for key in term.since)]
        found += [f"{step.key} names {key}" for key in named if key not in keys and key != "*"]
        if not (step.signs or step.own or step.auto or step.by_notice or step.by_result):
            found.append(f"nobody signs {step.key}")
        if step.ahead and Need.UNPROTECTED in step.needs:
            found.append(f"{step.key} is not protected until it takes effect")
        if not machine.following(step.key) and not over(machine, step):
            found.append(f"{step.key} leads nowhere")
    reached = {step for path in walks(machine) for step in path}
    found += [f"{step.key} is never reached" for step in machine.steps if step not in reached]
    return found


def over(machine: Machine, step: Step) -> bool:
    """Whether a case is over with this step: it, or something before it, has an outcome."""
    return step.outcome is not None or any(
        other.outcome is not None for other in machine.steps if other.key in step.after
    )


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_machines_are_whole(machine: Machine) -> None:
    """Every step is reachable, signed by somebody, and leads to an outcome."""
    assert faults(machine) == []


def test_faulty_data_is_found() -> None:
    """A step nobody signs, an unknown one, a dead end, an unreachable one."""
    bad = Machine(
        key="bad",
        title="",
        pool=OBJECTION.pool,
        steps=(
            Step(key="a", title="", own=True),
            Step(key="b", title="", after=("a",)),
            Step(key="c", title="", after=("z",), own=True),
        ),
    )
    assert set(faults(bad)) == {
        "c names z",
        "nobody signs b",
        "b leads nowhere",
        "c leads nowhere",
        "c is never reached",
    }


def test_every_employment_type_has_every_way_out() -> None:
    """Its own path for failing and for fault; leaving by wish or at the end for all."""
    for employment in Employment:
        for basis in ("appraisal", "fault", "wish", "term"):
            assert (employment, basis) in EXITS
    endings = {
        employment: {
            str(step.outcome)
            for step in EXITS[employment, "appraisal"].steps
            if str(step.outcome) in FORCED
        }
        for employment in Employment
    }
    assert endings == {
        Employment.CONTRACT: {"dismissed"},
        Employment.DISPATCHED: {"returned"},
        Employment.PURCHASED: {"replaced"},
        Employment.VILLAGE_PAID: {"dismissed"},
        Employment.CADRE: {"role_ended"},
        Employment.VOLUNTEER: {"agreement_ended"},
        Employment.OFFICIAL: {"recalled"},
    }


def test_the_contract_path_keeps_the_laws_order() -> None:
    """Re-check failed → protection checked → union → decision → service → appeal → thirty days."""
    path = next(
        [step.key for step in walk]
        for walk in walks(EXITS[Employment.CONTRACT, "appraisal"])
        if {"handed_over", "lapsed"} <= {step.key for step in walk}
    )
    wanted = ["opened", "protection", "union", "decided", "served", "lapsed", "dismissed"]
    assert [key for key in path if key in wanted] == wanted


def lawful(keys: list[str]) -> bool:
    """Said plainly: served, later lapsed or rejected, and every appeal answered."""
    if "served" not in keys:
        return False
    rest = keys[keys.index("served") + 1 :]
    over = [number for number, key in enumerate(rest) if key in {"lapsed", "appeal_rejected"}]
    appeals = [number for number, key in enumerate(rest) if key == "appealed"]
    answers = [number for number, key in enumerate(rest) if key == "appeal_rejected"]
    return bool(over) and all(any(a < b for b in answers) for a in appeals)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_no_walk_ends_against_the_will_without_due_process(machine: Machine) -> None:
    """Every way through the data, whatever the world says."""
    for walk in walks(machine):
        for number, step in enumerate(walk):
            if str(step.outcome) in FORCED:
                assert lawful([one.key for one in walk[:number]]), [s.key for s in walk]
                assert {Need.SUBSTANTIAL, Need.UNPROTECTED} <= set(step.needs)


Attempt = tuple[str, int, int, dict[Need, bool]]
"""Which step, by whom (0 = the clock), how many days later, and what speaks against it."""


@st.composite
def stories(draw: st.DrawFn) -> tuple[Machine, list[Attempt]]:
    """A machine, and what people try."""
    machine = draw(st.sampled_from(list(MACHINES.values())))
    keys = [step.key for step in machine.steps]
    against = st.fixed_dictionaries({need: st.booleans() for need in Need})
    attempt = st.tuples(
        st.sampled_from([*keys, "next", "next", "next"]),
        st.integers(0, 4),
        st.sampled_from([0, 1, 5, 8, 45]),
        st.one_of(st.just(dict.fromkeys(Need, False)), against),
    )
    return machine, draw(st.lists(attempt, max_size=40))


def played(machine: Machine, attempts: list[Attempt], kin: int) -> list[Signed]:
    """What of the attempts the engine lets through; each is held against the rules at once."""
    chain: list[Signed] = []
    today = DAY
    relatives = frozenset({PEOPLE[kin - 1]} if kin else set())
    for key, who, later, against in attempts:
        today += timedelta(days=later)
        allowed = next_steps(machine, chain)
        if key != "next":
            step = machine.step(key)
        else:
            step = allowed[(later + who) % len(allowed)] if allowed else machine.steps[0]
        actor = PEOPLE[who - 1] if who else None
        world = World(
            today=today,
            ends=ends(step, chain),
            against={need: "否" if bad else "" for need, bad in against.items()},
            kin=relatives,
        )
        if refusal(machine, chain, step, actor, today, world):
            continue
        assert (actor is None) == step.auto
        assert step.own or actor is None or actor not in relatives
        assert not any(against[need] for need in step.needs)
        assert actor not in {one.actor_id for one in chain if one.key in step.fresh}
        if str(step.outcome) in FORCED:
            assert lawful([one.key for one in chain])
            served = max(one.effective_on for one in chain if one.key == "served")
            assert today > served + timedelta(days=7)
        chain.append(Signed(key=step.key, actor_id=actor, effective_on=today))
    return chain


@settings(max_examples=400)
@given(story=stories(), kin=st.integers(0, 4))
def test_no_attempt_gets_round_the_engine(story: tuple[Machine, list[Attempt]], kin: int) -> None:
    """Random attempts by random people on random days: what was let through was lawful."""
    played(*story, kin)


def test_lawful_ways_out_are_open() -> None:
    """Seeded stories reach each path's forced ending, so that the property above says something."""
    chance = random.Random(20260901)
    fine = dict.fromkeys(Need, False)
    everywhere = set()
    for machine in EXITS.values():
        wanted = {str(step.outcome) for step in machine.steps} & FORCED
        early = {"stopped", "renewed", "left"}
        keys = [step.key for step in machine.steps if step.key not in early]
        reached: set[str] = set()
        for _ in range(60):
            if wanted <= reached:
                break
            attempts = [
                (chance.choice(keys), chance.randrange(5), chance.choice([0, 1, 8, 45]), fine)
                for _ in range(120)
            ]
            chain = played(machine, attempts, 0)
            reached |= {str(machine.step(one.key).outcome) for one in chain}
        assert wanted <= reached, machine.key
        everywhere |= wanted
    assert everywhere == set(FORCED)


def chain_of(*keys: str) -> list[Signed]:
    return [Signed(key=key, actor_id=PEOPLE[0], effective_on=DAY) for key in keys]


def test_a_late_paper_reopens_what_had_lapsed() -> None:
    """An appeal handed in on time and recorded late counts, and the ending waits for it."""
    machine = EXITS[Employment.VILLAGE_PAID, "appraisal"]
    keys = ["opened", "assembly", "resolved", "decided", "served", "lapsed"]
    chain = chain_of(*keys)
    appeal = machine.step("appealed")
    late = World(
        today=DAY + timedelta(days=20),
        ends=ends(appeal, chain),
        against=dict.fromkeys(Need, ""),
    )
    on_time, last, too_late = (DAY + timedelta(days=days) for days in (3, 7, 8))
    assert refusal(machine, chain, appeal, PEOPLE[1], on_time, late) == ""
    assert refusal(machine, chain, appeal, PEOPLE[1], last, late) == ""
    assert "已过期限" in refusal(machine, chain, appeal, PEOPLE[1], too_late, late)
    served = [
        *chain[:4],
        *(msgspec.structs.replace(one, effective_on=on_time) for one in chain[4:]),
    ]
    too_early = on_time - timedelta(days=1)
    assert "早于" in refusal(machine, served, appeal, PEOPLE[1], too_early, late)
    dismissed = machine.step("dismissed")
    assert dismissed not in next_steps(machine, [*chain, *chain_of("appealed")])


def test_the_clock_signs_what_lapses() -> None:
    """Not on the last day, but the day after."""
    chain = chain_of("raised", "review_kept", "told")
    known = ends(OBJECTION.step("lapsed"), chain)
    assert lapses(OBJECTION, chain, known, DAY + timedelta(days=7)) is None
    assert lapses(OBJECTION, chain, known, DAY + timedelta(days=8)) is OBJECTION.step("lapsed")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["decided"], "还没有送达"),
        (["decided", "served"], "申诉期未满"),
        (["decided", "served", "lapsed"], "没有核对证据和保护期"),
    ],
)
def test_the_engine_holds_any_machine_to_due_process(keys: list[str], said: str) -> None:
    """One whose data let somebody be recalled at once, and asked nothing, ends nobody's post."""
    good = EXITS[Employment.OFFICIAL, "fault"]
    recalled = good.step("recalled")
    hasty = msgspec.structs.replace(recalled, after=(*recalled.after, *keys), past=(), needs=())
    steps = tuple(hasty if step is recalled else step for step in good.steps)
    machine = msgspec.structs.replace(good, steps=steps)
    world = World(today=DAY, ends={}, against=dict.fromkeys(Need, ""))
    assert said in refusal(machine, chain_of(*keys), hasty, PEOPLE[1], DAY, world)


def test_the_last_day_of_a_term_is_part_of_it() -> None:
    """What has to wait for a term follows it on the day after at the earliest."""
    machine, chain = MACHINES["warning"], chain_of("warned", "served", "supported")
    passed = machine.step("passed")
    known = ends(passed, chain)
    (last,) = known.values()
    world = World(today=last + timedelta(days=9), ends=known, against=dict.fromkeys(Need, ""))
    assert "才满" in refusal(machine, chain, passed, PEOPLE[1], last, world)
    assert refusal(machine, chain, passed, PEOPLE[1], last + timedelta(days=1), world) == ""


@pytest.mark.parametrize(
    ("machine", "keys", "expected", "over"),
    [
        ("objection", ["raised"], None, False),
        ("objection", ["raised", "review_kept", "told", "lapsed"], Outcome.UPHELD, True),
        ("objection", ["raised", "review_kept", "told", "lapsed", "appealed"], None, False),
        ("objection", ["raised", "review_changed", "told"], None, False),
        ("objection", ["raised", "review_changed", "told", "lapsed"], Outcome.CHANGED, True),
        (
            "objection",
            ["raised", "review_changed", "told", "appealed", "appeal_rejected"],
            Outcome.CHANGED,
            True,
        ),
        ("recommendation", ["noticed", "recommended"], Outcome.RECOMMENDED, True),
        ("recommendation", ["noticed", "recommended", "removed"], Outcome.DECLINED, True),
        ("exit_wish", ["applied", "resigned"], Outcome.RESIGNED, False),
        ("exit_wish", ["applied", "resigned", "handed_over"], Outcome.RESIGNED, True),
    ],
)
def test_what_a_chain_has_come_to(
    machine: str,
    keys: list[str],
    expected: Outcome | None,
    over: bool,  # noqa: FBT001  a parameter of the table
) -> None:
    """The last word counts; a reopened case has none; handing over comes after the outcome."""
    assert outcome(MACHINES[machine], keys) is expected
    assert done(MACHINES[machine], keys) is over


def test_days_keep_their_order() -> None:
    """Neither before the step before, nor in the future, but an ending may lie a little ahead."""
    machine = EXITS[Employment.CONTRACT, "wish"]
    chain = chain_of("applied")
    world = World(today=DAY + timedelta(days=2), ends={}, against=dict.fromkeys(Need, ""))
    resigned = machine.step("resigned")
    assert "早于" in refusal(machine, chain, resigned, PEOPLE[1], DAY - timedelta(days=1), world)
    assert refusal(machine, chain, resigned, PEOPLE[1], world.today + AHEAD, world) == ""
    too_far = world.today + AHEAD + timedelta(days=1)
    assert "60 天" in refusal(machine, chain, resigned, PEOPLE[1], too_far, world)
    opening = machine.step("applied")
    assert "还没有到" in refusal(machine, [], opening, PEOPLE[0], DAY + timedelta(days=3), world)
    assert refusal(machine, [], opening, PEOPLE[0], world.today - BACK, world) == ""
    long_ago = world.today - BACK - timedelta(days=1)
    assert "90 天" in refusal(machine, [], opening, PEOPLE[0], long_ago, world)
