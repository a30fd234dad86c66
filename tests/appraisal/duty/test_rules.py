"""What a sheet may say, and the draw that anybody can repeat."""

import hashlib
from collections import Counter
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal.duty import rules
from appraisal.duty.rules import Days, EntryForm, EntryKind, Record

UUIDS = st.uuids(version=4)
RECORDS = st.lists(
    st.builds(Record, person_id=st.integers(1, 6).map(lambda n: UUID(int=n)), record_id=UUIDS),
    min_size=1,
    max_size=40,
    unique_by=lambda record: record.record_id,
)


@pytest.mark.parametrize(
    ("days", "field"),
    [
        (("20", "18", "2"), ""),
        (("20.5", "20", "0.5"), ""),
        (("20", "18", "2.5"), "on_duty"),
        (("20.3", "18", "1"), "rostered"),
        (("29", "18", "1"), "rostered"),
        (("20", "-1", "1"), "on_duty"),
        (("20", "18", "0.1"), "leave"),
    ],
)
def test_days_are_halves_and_add_up(days: tuple[str, str, str], field: str) -> None:
    """Duty and leave fit into what was rostered, which fits into February."""
    rostered, on_duty, leave = (Decimal(one) for one in days)
    faults = rules.day_faults(Days(rostered, on_duty, leave), 202602)
    assert list(faults) == ([field] if field else [])


@pytest.mark.parametrize("kind", list(EntryKind))
def test_an_empty_entry_names_every_field_it_lacks(kind: EntryKind) -> None:
    """One sentence a field, none for what the kind does not ask."""
    form = EntryForm(kind=kind, person_id=UUID(int=1), happened_on=date(2026, 1, 2))
    faults = rules.entry_faults(form, date(2026, 1, 1))
    needed = {"happened_on", *rules.NEEDED[kind]}
    needed |= {"outcome"} if kind is not EntryKind.COMMEND else set()
    needed |= {"level"} if kind in {EntryKind.COMMEND, EntryKind.COMPLAINT} else set()
    assert set(faults) == needed


def test_the_published_recipe_gives_the_draw() -> None:
    """Done again by hand, with nothing but hashlib and the printed recipe."""
    people = [UUID(int=number) for number in range(1, 5)]
    records = [
        Record(who, UUID(int=100 + 10 * index + n))
        for index, who in enumerate(people)
        for n in range(4)
    ]
    text = rules.listing(list(reversed(records)))
    hashed = hashlib.sha256(text.encode()).hexdigest()
    seed = hashlib.sha256((hashed + "03 11 19").encode()).hexdigest()
    assert rules.seed_of(rules.list_hash(text), "03 11 19").hex() == seed

    def rank(word: str, one: UUID) -> str:
        return hashlib.sha256(f"{seed}{word}{one}".encode()).hexdigest()

    expected = []
    for who in sorted(people, key=lambda one: rank("worker", one))[:2]:
        own = [record.record_id for record in records if record.person_id == who]
        inspector = ["甲某", "乙某", "丙某"][int(rank("inspector", who), 16) % 3]
        expected += [
            (who, record, inspector)
            for record in sorted(own, key=lambda one: rank("record", one))[:2]
        ]
    drawn = rules.draw(text, bytes.fromhex(seed), 2, 2, ["甲某", "乙某", "丙某"])
    assert [(one.person_id, one.record_id, one.inspector) for one in drawn] == expected


@settings(max_examples=60)
@given(records=RECORDS, value=st.text(max_size=9), people=st.integers(1, 7), each=st.integers(1, 5))
def test_a_draw_takes_what_it_promises(
    records: list[Record], value: str, people: int, each: int
) -> None:
    """Any order of the list gives the same; as many people and records as there are, at most."""
    text = rules.listing(records)
    assert rules.listing(rules.parsed(text)) == text
    seed = rules.seed_of(rules.list_hash(text), value)
    drawn = rules.draw(text, seed, people, each, ["甲某", "乙某"])
    assert drawn == rules.draw(rules.listing(records[::-1]), seed, people, each, ["甲某", "乙某"])
    owned = Counter(record.person_id for record in records)
    taken = Counter(one.person_id for one in drawn)
    assert len(taken) == min(people, len(owned))
    assert {who: min(each, owned[who]) for who in taken} == dict(taken)
    assert {Record(one.person_id, one.record_id) for one in drawn} <= set(records)


def test_another_value_draws_others() -> None:
    """The seed decides: of a hundred values not all give the same people."""
    records = [Record(UUID(int=n), UUID(int=1000 + n)) for n in range(50)]
    text = rules.listing(records)
    found = {
        tuple(
            one.person_id
            for one in rules.draw(text, rules.seed_of(rules.list_hash(text), str(n)), 5, 1, [])
        )
        for n in range(100)
    }
    assert len(found) > 95
