"""The one function that decides rights, held against an oracle on random worlds."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Forbidden, NotFound
from shared.identity.access import POLICIES, Action, Target, allowed, reach, require
from shared.identity.actor import Actor, Duty
from shared.roster.roles import Role
from tests.shared.identity.oracle import ROWS, Post, Thing, may

ON = date(2026, 11, 24)
COUNTIES = ("421222", "421223")
PEOPLE, SHOPS = 4, 3


def tree() -> dict[str, str]:
    """Two counties, two townships each, two villages, two grids: unit → parent."""
    parent = dict.fromkeys(COUNTIES, "")
    for county in COUNTIES:
        for township in ("100", "101"):
            parent[county + township] = county
            for village in ("001", "002"):
                parent[county + township + village] = county + township
                for grid in ("001", "002"):
                    parent[county + township + village + grid] = county + township + village
    return parent


PARENT = tree()
UNITS = st.sampled_from(sorted(PARENT))
DAYS = st.integers(-40, 40).map(lambda days: ON + timedelta(days=days))
POSTS = st.builds(
    Post,
    role=st.sampled_from([role.value for role in Role]),
    unit=UNITS,
    shop=st.integers(1, SHOPS),
    start=DAYS,
    end=st.none() | DAYS,
)
THINGS = st.builds(
    Thing,
    unit=UNITS,
    owner=st.integers(1, PEOPLE),
    maker=st.integers(1, PEOPLE),
    shop=st.integers(1, SHOPS),
)


def identity(number: int) -> UUID:
    return UUID(int=number)


def actor(me: int, posts: list[Post]) -> Actor:
    """The person with the posts held on the day, as a session would carry them."""
    held = [post for post in posts if post.start <= ON and (post.end is None or post.end > ON)]
    duties = tuple(
        Duty(
            role=Role(post.role),
            unit_code=post.unit,
            post_id=identity(99),
            subject_id=identity(post.shop) if post.role == "shopkeeper" else None,
        )
        for post in held
    )
    return Actor(
        county_id=421222,
        person_id=identity(me),
        name="",
        account_id=identity(me),
        session_id=identity(me),
        former=not held,
        duties=duties,
    )


def target(thing: Thing) -> Target:
    return Target(
        unit_code=thing.unit,
        owner=identity(thing.owner),
        maker=identity(thing.maker),
        shop_id=identity(thing.shop),
    )


def test_every_action_has_a_policy_and_an_oracle_row() -> None:
    """Nothing is decided by default."""
    assert set(POLICIES) == set(Action)
    assert ROWS.keys() == {action.value for action in Action}


@settings(max_examples=500, deadline=None)
@given(posts=st.lists(POSTS, max_size=4), thing=THINGS, me=st.integers(1, PEOPLE))
def test_every_action_agrees_with_the_oracle(posts: list[Post], thing: Thing, me: int) -> None:
    """Any posts, past and future ones too, any object, every action: the same answer."""
    person = actor(me, posts)
    for action in Action:
        decision = allowed(person, action, target(thing))
        answer = "yes" if decision.allowed else decision.reason.replace("stranger", "absent")
        assert answer == may(action.value, me, posts, thing, PARENT, ON), action
        assert bool(decision.authority) is decision.allowed


@settings(max_examples=500, deadline=None)
@given(posts=st.lists(POSTS, max_size=4), me=st.integers(1, PEOPLE))
def test_a_list_reaches_exactly_what_may_be_opened(posts: list[Post], me: int) -> None:
    """``reach`` names the units over which the roles hold, no unit more and none less."""
    person = actor(me, posts)
    for action in Action:
        codes = reach(person, action)
        for unit in PARENT:
            thing = Thing(unit=unit, owner=0, maker=0, shop=0)
            listed = unit.startswith(codes) if codes else False
            assert listed is (may(action.value, me, posts, thing, PARENT, ON) == "yes")


@settings(max_examples=100, deadline=None)
@given(posts=st.lists(POSTS, max_size=4), thing=THINGS, me=st.integers(1, PEOPLE))
def test_a_rule_may_only_narrow(posts: list[Post], thing: Thing, me: int) -> None:
    """Naming the verifiers a rule asks for never opens what was closed."""
    person = actor(me, posts)
    narrowed = Target(
        unit_code=thing.unit,
        owner=identity(thing.owner),
        maker=identity(thing.maker),
        roles=frozenset({Role.CHIEF, Role.GRIDWORKER, Role.ADMIN}),
    )
    if allowed(person, Action.WORK_VERIFY, narrowed).allowed:
        assert allowed(person, Action.WORK_VERIFY, target(thing)).allowed
        assert any(duty.role is Role.CHIEF for duty in person.duties)


def test_absent_and_forbidden_look_the_same_and_separation_is_said() -> None:
    """A stranger gets NotFound; who merely must not decide it hears why."""
    village = "421222100001"
    chief = actor(1, [Post("chief", village, 1, ON, None)])
    with pytest.raises(NotFound):
        require(chief, Action.WORK_VERIFY, Target(unit_code="421222100002001"))
    with pytest.raises(Forbidden, match="本人"):
        require(chief, Action.WORK_VERIFY, Target(unit_code=village, owner=identity(1)))
    with pytest.raises(Forbidden, match="经手"):
        require(chief, Action.DEDUCT_DECIDE, Target(unit_code=village, maker=identity(1)))
    assert require(chief, Action.WORK_VERIFY, Target(unit_code=village)) == f"chief@{village}"


def test_a_target_without_unit_opens_nothing_by_role() -> None:
    """Forgetting the unit closes, it never opens."""
    department = actor(1, [Post("department", "421222", 1, ON, None)])
    for action in Action:
        assert not allowed(department, action, Target()).allowed
