"""The difference between a roster file and the roster: a pure function.

People are recognised by the id of our own export, else by phone, else by name in the post they
hold. Posts are recognised by role, unit and the grids they name. From that follow who joined,
moved, left or changed; nobody who is merely missing from the file is ended unless told to, and
a gridworker neither so nor by a successor: that would be a dismissal without notice and appeal.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec

from shared.dates import chinese_date
from shared.documents.read import Table
from shared.roster.intake.columns import IMPORTABLE
from shared.roster.intake.places import locate, unit_changes
from shared.roster.intake.schemas import (
    Correction,
    Divisions,
    End,
    Entry,
    Known,
    KnownPerson,
    KnownPost,
    KnownTenure,
    Line,
    NewPerson,
    PersonChange,
    Plan,
    Start,
)
from shared.roster.roles import EMPLOYMENT_NAMES, ROLE_NAMES, Role
from shared.roster.rules import FULL_TIME, grid_type_of

Key = tuple[Role, str, tuple[str, ...]]
"""Role, unit code, grids named: what makes a post the same post."""
ONE_HOLDER = frozenset({Role.CHIEF, Role.GRIDWORKER})
REPLACED = "岗位由{name}接任"
MISSING = "不在新花名册"
MOVED = "调整岗位"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user chose, and the day it is."""

    county_id: int
    today: date
    end_missing: bool = False
    within: tuple[str, ...] = ()
    """Unit codes that the importer may touch; empty = all of the county."""


def make_plan(
    table: Table,
    entries: Sequence[Entry],
    known: Known,
    divisions: Divisions | None,
    options: Options,
    new_id: Callable[[], UUID],
) -> Plan:
    """Compare; faults go to the table, and a plan of a table with faults must not be applied."""
    planner = _Planner(table, known, options, new_id)
    planner.forget_closed_grids(entries)
    names = locate(entries, known.units, divisions, options.county_id, planner.complain)
    sound = planner.sound(entries)
    plan = planner.plan
    plan.new_units, plan.changed_units = unit_changes(sound, known.units, names, divisions, new_id)
    planner.name_units()
    planner.recognise(sound)
    planner.match(planner.sound(sound))
    planner.fill()
    planner.miss()
    return plan


class _Assigned(msgspec.Struct):
    """An entry, who it is, and the post it will hold."""

    entry: Entry
    person_id: UUID
    tenure: KnownTenure | None = None
    """The assignment that goes on."""
    leaves: KnownTenure | None = None
    """The assignment that this one takes the place of."""


class _Planner:
    """Holds the indexes of the roster while one plan is made."""

    def __init__(
        self, table: Table, known: Known, options: Options, new_id: Callable[[], UUID]
    ) -> None:
        self.table = table
        self.known = known
        self.options = options
        self.new_id = new_id
        self.plan = Plan()
        self.faulty: set[int] = set()
        self.unit_names: dict[str, str] = {}
        self.by_name: dict[str, list[UUID]] = defaultdict(list)
        for person in known.people.values():
            self.by_name[person.name].append(person.id)
        self.by_number: dict[bytes, UUID] = {}
        """Of numbers that are new to the county."""
        self.by_phone = {person.phone_hmac: person.id for person in known.people.values()}
        self.live: dict[UUID, list[KnownTenure]] = defaultdict(list)
        self.of_post: dict[UUID, list[KnownTenure]] = defaultdict(list)
        self.posts: dict[Key, list[KnownPost]] = defaultdict(list)
        self.ends: dict[UUID, tuple[date, str]] = {}
        self.assigned: list[_Assigned] = []
        self.kept: set[UUID] = set()
        self.taken: set[UUID] = set()
        self.seen: set[UUID] = set()
        self.of_person: dict[UUID, list[KnownTenure]] = defaultdict(list)
        for tenure in known.tenures.values():
            self.of_post[tenure.post_id].append(tenure)
            self.of_person[tenure.person_id].append(tenure)
            if tenure.valid_to is None or tenure.valid_to > options.today:
                self.live[tenure.person_id].append(tenure)
        self.seats: Counter[tuple[Role, str]] = Counter()

    def forget_closed_grids(self, entries: Sequence[Entry]) -> None:
        """A lead's post without the grids that were closed since, unless the file names them."""
        named = {grid for entry in entries for grid in entry.grids}
        closed = {code for code, unit in self.known.units.items() if unit.closed_on is not None}
        gone = closed - named
        posts = {
            post.id: msgspec.structs.replace(
                post, grids=tuple(grid for grid in post.grids if grid not in gone)
            )
            for post in self.known.posts.values()
        }
        self.known = msgspec.structs.replace(self.known, posts=posts)
        for post in sorted(posts.values(), key=lambda post: post.seat):
            place = (Role(post.role), post.unit_code)
            self.seats[place] = max(self.seats[place], post.seat)
            if not post.closed:
                self.posts[_key(post)].append(post)

    def complain(self, entry: Entry, column: str, sentence: str) -> None:
        self.table.fault(self.table.rows[entry.line], column, sentence)
        self.faulty.add(entry.line)

    def sound(self, entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in entries if entry.line not in self.faulty]

    def name_units(self) -> None:
        self.unit_names = {code: unit.name for code, unit in self.known.units.items()}
        self.unit_names |= {unit.code: unit.name for unit in self.plan.new_units}
        self.unit_names |= {unit.code: unit.name for unit in self.plan.changed_units}
        for unit in self.plan.changed_units:
            what = ["恢复使用"] if unit.reopened else []
            if unit.name != unit.before_name:
                what.append(f"改名为{unit.name}")
                if self._sounds_otherwise(unit.code, unit.name):
                    what.append("网格类型没有跟着改，要改请在单位页面改")
            if unit.households != unit.before_households:
                what.append(f"户数 {unit.before_households or '未填'} → {unit.households}")
            self.plan.renamed.append(Line(unit.before_name, "，".join(what)))

    def _sounds_otherwise(self, code: str, name: str) -> bool:
        """A village became a community, or the other way round."""
        return len(code) == 12 and grid_type_of(name) != self.known.units[code].grid_type

    def recognise(self, entries: Sequence[Entry]) -> None:
        """Find or make the person of every row: one, or two with another kind of post each."""
        people: dict[UUID, Entry] = {}
        self._who_stays(entries)
        for entry in entries:
            if self.options.within and not entry.unit_code.startswith(self.options.within):
                self.complain(entry, "岗位", "这个单位不在您管理的范围内。")
                continue
            exported = self.known.tenures.get(entry.tenure_id) if entry.tenure_id else None
            person_id = exported.person_id if exported else self._person_of(entry)
            if person_id is None or (exported and self._is_somebody_else(entry, person_id)):
                continue
            first = people.setdefault(person_id, entry)
            if first is not entry and not exported and self._contradicts(entry, first):
                continue
            self._check_phone(entry, person_id)
            self.assigned.append(_Assigned(entry, person_id))

    def _who_stays(self, entries: Sequence[Entry]) -> None:
        """Whose a new number is, where one of its rows stands in the post that its person holds."""
        for entry in entries:
            holder = self._holder(entry)
            if entry.fingerprint and holder and self.known.people[holder].name == entry.name:
                self.by_number.setdefault(entry.fingerprint, holder)

    def _contradicts(self, entry: Entry, first: Entry) -> bool:
        """Another row of the same person: of another post, and the same in all that both say."""
        where = self.table.where(self.table.rows[first.line])
        ours = [
            (entry.employment, first.employment),
            (entry.full_time, entry.full_time if first.full_time is None else first.full_time),
            (entry.political, first.political or entry.political),
        ]
        if entry.role is first.role or entry.name != first.name:
            sentence = "与{}是同一个人，请只留一行。同一种岗位兼两处的，导入后在名册里任命另一处。"
        elif any(one not in {None, other} for one, other in ours):
            sentence = "与{}是同一个人，用工形式、专职兼职、政治面貌要写得一样。"
        else:
            first.full_time = entry.full_time if first.full_time is None else first.full_time
            first.political = first.political or entry.political
            return False
        self.complain(entry, "姓名", sentence.format(where))
        return True

    def _person_of(self, entry: Entry) -> UUID | None:
        """By phone, else by name in the same post, else new; None = a fault was found."""
        if entry.fingerprint is None:
            self.complain(entry, "手机号", "手机号不完整，请填写全部 11 位数字。")
            return None
        holder = self._holder(entry)
        found = self.by_phone.get(entry.fingerprint)
        if found is not None:
            person = self.known.people[found]
            if person.name != entry.name and found != holder:
                self.complain(
                    entry, "手机号", f"这个手机号已登记给“{person.name}”，请核对姓名和号码。"
                )
                return None
            return found
        if holder is None or self.known.people[holder].name != entry.name:
            return self.by_number.setdefault(entry.fingerprint, self.new_id())
        if self.by_number[entry.fingerprint] != holder:
            self.complain(entry, "手机号", "两位同名的人写了同一个新手机号，请核对。")
            return None
        return holder

    def _is_somebody_else(self, entry: Entry, person_id: UUID) -> bool:
        """A successor typed over the row of our export would get the account and the points."""
        before = self.known.people[person_id]
        new_phone = entry.fingerprint not in {None, before.phone_hmac}
        if not new_phone or entry.name == before.name:
            return False
        self.complain(
            entry,
            "姓名",
            f"姓名和手机号都和编号所指的“{before.name}”不同。换了人，请清空这一行的任职编号；"
            "还是本人，请分两次导入。",
        )
        return True

    def _check_phone(self, entry: Entry, person_id: UUID) -> None:
        owner = self.by_phone.get(entry.fingerprint) if entry.fingerprint else None
        if owner is not None and owner != person_id:
            name = self.known.people[owner].name
            self.complain(entry, "手机号", f"这个手机号已登记给“{name}”，请核对姓名和号码。")

    def _holder(self, entry: Entry) -> UUID | None:
        """Who of this name, else anybody, holds the row's post now."""
        holders = [
            tenure.person_id
            for post in self.posts.get(_target(entry), ())
            for tenure in self.of_post[post.id]
            if tenure.valid_to is None
        ]
        named = [found for found in holders if self.known.people[found].name == entry.name]
        return next(iter(named or (holders if len(holders) == 1 else ())), None)

    def match(self, entries: Sequence[Entry]) -> None:
        """Keep the assignments that the file confirms, and see which one each new one replaces."""
        sound = {entry.line for entry in entries}
        self.assigned = [item for item in self.assigned if item.entry.line in sound]
        self._refuse_doubles()
        for item in self.assigned:
            self._person_changes(item)
            target = _target(item.entry)
            for tenure in sorted(self._live(item.person_id), key=lambda found: found.valid_from):
                if tenure.id not in self.kept and self._key_of(tenure) == target:
                    item.tenure = tenure
                    self.kept.add(tenure.id)
                    break
        for item in self.assigned:
            if item.tenure is None:
                item.leaves = self._left_for(item)
                if item.leaves:
                    self.kept.add(item.leaves.id)
                    self._refuse_foreign(item, [item.leaves])

    def _refuse_doubles(self) -> None:
        """One person per post at a time: two rows for one post are a fault of both."""
        rows: dict[Key, list[_Assigned]] = defaultdict(list)
        for item in self.assigned:
            role, unit, grids = _target(item.entry)
            if role in ONE_HOLDER:
                rows[role, unit, ()].append(item)
            for grid in grids:
                rows[role, unit, (grid,)].append(item)
        for key, items in rows.items():
            for item in items:
                if len(items) > 1 and not self._is_exported_as_is(item.entry):
                    self._complain_of_double(item, key, items)
        self.assigned = [item for item in self.assigned if item.entry.line not in self.faulty]

    def _complain_of_double(self, item: _Assigned, key: Key, items: list[_Assigned]) -> None:
        other = next(found.entry for found in items if found is not item)
        where = self.table.where(self.table.rows[other.line])
        self.complain(
            item.entry,
            "岗位",
            f"{where}的{other.name}也是{self._post_name(key)}，一个岗位同一时间只能有一个人。",
        )

    def _is_exported_as_is(self, entry: Entry) -> bool:
        """Our own export says so: the post has several seats."""
        tenure = self.known.tenures.get(entry.tenure_id) if entry.tenure_id else None
        return tenure is not None and self._key_of(tenure) == _target(entry)

    def _left_for(self, item: _Assigned) -> KnownTenure | None:
        """The open assignment that a move ends, of the same role first."""
        open_ = [
            tenure
            for tenure in self._live(item.person_id)
            if tenure.id not in self.kept
            and tenure.valid_to is None
            and self.known.posts[tenure.post_id].role in IMPORTABLE
        ]
        same = [t for t in open_ if self.known.posts[t.post_id].role is item.entry.role]
        return next(iter(same or open_), None)

    def _person_changes(self, item: _Assigned) -> None:
        entry = item.entry
        if item.person_id in self.seen:
            return
        self.seen.add(item.person_id)
        self.plan.places[item.person_id] = entry.unit_code
        before = self.known.people.get(item.person_id)
        if before is None:
            self.plan.new_people.append(_new_person(item.person_id, entry))
            return
        change = _changed_person(before, entry)
        if what := _difference(before, change):
            self._refuse_foreign(item, self._live(item.person_id))
            self.plan.changed_people.append(change)
            self.plan.changed.append(Line(before.name, what, self._row(entry)))

    def _refuse_foreign(self, item: _Assigned, tenures: Sequence[KnownTenure]) -> None:
        """Who serves elsewhere too is moved and changed by whoever manages that as well."""
        for tenure in tenures:
            post = self.known.posts[tenure.post_id]
            if self.options.within and not post.unit_code.startswith(self.options.within):
                self.complain(
                    item.entry,
                    "姓名",
                    f"{item.entry.name}现在也是{self._post_name(_key(post))}，"
                    "不在您管理的范围内，请由县里办理。",
                )
                return

    def fill(self) -> None:
        """Start the new assignments, correct first days, end what they replace."""
        moved = [item for item in self.assigned if item.tenure is None]
        for item in self.assigned:
            if item.tenure is not None:
                self._confirm(item, item.tenure)
        starts = [(item, self._post_for(item)) for item in moved]
        leaving = {item.leaves.id for item in moved if item.leaves}
        whole = not self.table.faults
        begun: list[tuple[_Assigned, date]] = []
        for item, post in starts:
            day = self._first_day(item, post)
            if day is None or (whole and self._would_dismiss(item, post, leaving)):
                continue
            for tenure in self._in_the_way(item, post):
                self._end(tenure, day, REPLACED.format(name=item.entry.name))
            if item.leaves:
                self._end(item.leaves, day, MOVED)
            start = Start(self.new_id(), post.id, item.person_id, day, post.unit_code)
            self.plan.starts.append(start)
            self._tell(item, day)
            begun.append((item, day))
        self._refuse_gaps(begun)
        self._write_ends()

    def _confirm(self, item: _Assigned, tenure: KnownTenure) -> None:
        """The assignment goes on; the file may correct its first day.

        Not where the day falls into somebody's earlier time at the post or into the person's own
        earlier post: offices carry the day of first hire along when people move.
        """
        day = item.entry.valid_from
        others = [
            other
            for other in (*self.of_post[tenure.post_id], *self.of_person[tenure.person_id])
            if other.id != tenure.id and other.valid_to is not None
        ]
        if (
            day is None
            or day == tenure.valid_from
            or (tenure.valid_to is not None and day >= tenure.valid_to)
            or any(other.valid_to > day for other in others if other.valid_to is not None)
        ):
            self.plan.unchanged += 1
            return
        code = self.known.posts[tenure.post_id].unit_code
        self.plan.corrections.append(
            Correction(tenure.id, tenure.person_id, code, tenure.valid_from, day)
        )
        text = f"到岗日期 {chinese_date(tenure.valid_from)} → {chinese_date(day)}"
        self.plan.changed.append(Line(item.entry.name, text, self._row(item.entry)))

    def _post_for(self, item: _Assigned) -> KnownPost:
        """The post of the key: the one with one holder, else a vacant seat, else a new seat."""
        role, unit, grids = key = _target(item.entry)
        posts = self.posts[key]
        if role in ONE_HOLDER or grids:
            vacant = posts[:1]
        else:
            vacant = [post for post in posts if self._is_vacant(post)][:1]
        if vacant:
            self.taken.add(vacant[0].id)
            return vacant[0]
        self.seats[role, unit] += 1
        post = KnownPost(self.new_id(), unit, role, self.seats[role, unit], grids)
        posts.append(post)
        self.plan.new_posts.append(post)
        self.taken.add(post.id)
        return post

    def _is_vacant(self, post: KnownPost) -> bool:
        return post.id not in self.taken and not any(
            tenure.valid_to is None or tenure.valid_to > self.options.today
            for tenure in self.of_post[post.id]
        )

    def _in_the_way(self, item: _Assigned, post: KnownPost) -> list[KnownTenure]:
        """Open assignments of others at the post."""
        return [
            tenure
            for tenure in self.of_post[post.id]
            if tenure.valid_to is None and tenure.person_id != item.person_id
        ]

    def _would_dismiss(self, item: _Assigned, post: KnownPost, leaving: set[UUID]) -> bool:
        """A gridworker makes room by moving in the same file, else at the desk: a fault.

        Asked of whole files only: the row that moves the holder may be the one with another fault.
        """
        if post.role is not Role.GRIDWORKER:
            return False
        for tenure in self._in_the_way(item, post):
            if tenure.id in leaving:
                continue
            name = self.known.people[tenure.person_id].name
            if tenure.valid_from > self.options.today:
                what = f"{name}已安排到这个岗位，请先在名册里取消"
            else:
                what = f"{name}现在是这个岗位的网格员，请先在名册里给{name}办理离任（或办完退出）"
            self.complain(item.entry, "姓名", f"{what}，再导入。")
            return True
        return False

    def _first_day(self, item: _Assigned, post: KnownPost) -> date | None:
        """The file's date where nothing speaks against it, else today; None = a fault."""
        entry, today = item.entry, self.options.today
        after = [t.valid_from for t in self._in_the_way(item, post)]
        after += [item.leaves.valid_from] if item.leaves else []
        not_before = [t.valid_to for t in self.of_post[post.id] if t.valid_to is not None]
        for day in (entry.valid_from or today, today):
            if all(day > other for other in after) and all(day >= other for other in not_before):
                return day
        latest = max([*(day + timedelta(days=1) for day in after), *not_before])
        self.complain(
            entry,
            "到岗日期",
            f"这个岗位或本人的原任职要到{chinese_date(latest)}才能交接，请填这天或之后的日期。",
        )
        return None

    def _end(self, tenure: KnownTenure, day: date, reason: str) -> None:
        """End on the earlier of the days asked for; a move says more than a replacement."""
        before = self.ends.get(tenure.id)
        if before is None:
            self.ends[tenure.id] = (day, reason)
        else:
            self.ends[tenure.id] = (
                min(before[0], day),
                MOVED if MOVED in {before[1], reason} else reason,
            )

    def _refuse_gaps(self, begun: Sequence[tuple[_Assigned, date]]) -> None:
        """Whoever moves holds one post until they hold the other."""
        for item, day in begun:
            if item.leaves is None or self.ends[item.leaves.id][0] == day:
                continue
            post = self._post_name(self._key_of(item.leaves))
            self.complain(
                item.entry,
                "到岗日期",
                f"{item.entry.name}的{post}岗位从 {self.ends[item.leaves.id][0]:%Y-%m-%d} 起由别人"
                f"接任，到 {day:%Y-%m-%d} 才到新岗位，中间不能空着：请填同一天。",
            )

    def _write_ends(self) -> None:
        for tenure_id, (day, reason) in self.ends.items():
            tenure = self.known.tenures[tenure_id]
            post = self.known.posts[tenure.post_id]
            self.plan.ends.append(End(tenure_id, tenure.person_id, post.unit_code, day, reason))
            if reason != MOVED:
                name = self.known.people[tenure.person_id].name
                text = f"{self._post_name(_key(post))}，{chinese_date(day)}起{reason}"
                self.plan.left.append(Line(name, text))

    def _tell(self, item: _Assigned, day: date) -> None:
        place = self._post_name(_target(item.entry))
        row = self._row(item.entry)
        if item.leaves:
            before = self._post_name(self._key_of(item.leaves))
            line = Line(item.entry.name, f"{before} → {place}，{chinese_date(day)}起", row)
            self.plan.moved.append(line)
            self.plan.transfers += self._key_of(item.leaves)[0] is Role.GRIDWORKER
        else:
            text = f"{place}，{chinese_date(day)}起{self._namesake(item)}"
            self.plan.joined.append(Line(item.entry.name, text, row))

    def _namesake(self, item: _Assigned) -> str:
        """Who comes back with another number looks new, and would begin without their points."""
        if item.person_id in self.known.people:
            return ""
        village = item.entry.unit_code[:12]
        for person_id in self.by_name[item.entry.name]:
            posts = [self._key_of(tenure) for tenure in self.of_person[person_id]]
            here = [key for key in posts if key[1].startswith(village)]
            if here and not self._live(person_id):
                return (
                    f"；名册里有一位已离任的同名人（原{self._post_name(here[-1])}），是同一个人的，"
                    "请先到那个人的“修改信息”里改成新手机号再导入"
                )
        return ""

    def miss(self) -> None:
        """Holders of posts in the file's townships whom no row names."""
        if self.table.faults:
            return
        townships = {item.entry.unit_code[:9] for item in self.assigned}
        for tenure in self.known.tenures.values():
            post = self.known.posts[tenure.post_id]
            if (
                tenure.valid_to is not None
                or tenure.valid_from > self.options.today
                or tenure.id in self.kept
                or tenure.id in self.ends
                or post.role not in IMPORTABLE
                or post.unit_code[:9] not in townships
            ):
                continue
            line = Line(self.known.people[tenure.person_id].name, self._post_name(_key(post)))
            self.plan.missing.append(line)
            if post.role is Role.GRIDWORKER:
                self.plan.staying += 1
            elif self.options.end_missing:
                day = max(self.options.today, tenure.valid_from + timedelta(days=1))
                end = End(tenure.id, tenure.person_id, post.unit_code, day, MISSING)
                self.plan.ends.append(end)

    def _live(self, person_id: UUID) -> Sequence[KnownTenure]:
        return self.live.get(person_id, ())

    def _key_of(self, tenure: KnownTenure) -> Key:
        return _key(self.known.posts[tenure.post_id])

    def _row(self, entry: Entry) -> int:
        return self.table.rows[entry.line].number

    def _post_name(self, key: Key) -> str:
        role, unit, grids = key
        named = "、".join(self.unit_names.get(grid, grid) for grid in grids)
        return (
            f"{self.unit_names.get(unit, unit)}{ROLE_NAMES[role]}{f'（{named}）' if named else ''}"
        )


def _key(post: KnownPost) -> Key:
    return (Role(post.role), post.unit_code, tuple(sorted(post.grids)))


def _target(entry: Entry) -> Key:
    return (entry.role, entry.unit_code, entry.named_grids)


def _new_person(person_id: UUID, entry: Entry) -> NewPerson:
    if entry.phone is None or entry.fingerprint is None:
        raise ValueError("a new person has a whole phone number")
    return NewPerson(
        id=person_id,
        name=entry.name,
        phone=entry.phone,
        fingerprint=entry.fingerprint,
        employment=entry.employment,
        full_time=entry.employment in FULL_TIME if entry.full_time is None else entry.full_time,
        political=entry.political,
    )


def _changed_person(before: KnownPerson, entry: Entry) -> PersonChange:
    """What the file does not say stays as it is."""
    phone = entry.phone if entry.fingerprint not in {None, before.phone_hmac} else None
    full_time = before.full_time if entry.full_time is None else entry.full_time
    if entry.full_time is None and entry.employment != before.employment_type:
        full_time = entry.employment in FULL_TIME
    return PersonChange(
        before=before,
        name=entry.name,
        phone=phone,
        fingerprint=entry.fingerprint if phone and entry.fingerprint else before.phone_hmac,
        employment=entry.employment,
        full_time=full_time,
        political=entry.political or before.political,
    )


def _difference(before: KnownPerson, after: PersonChange) -> str:
    """In words; empty = nothing changed."""
    what = []
    if after.name != before.name:
        what.append(f"姓名 {before.name} → {after.name}")
    if after.phone:
        what.append("手机号")
    if after.employment != before.employment_type:
        old, new = EMPLOYMENT_NAMES[before.employment_type], EMPLOYMENT_NAMES[after.employment]
        what.append(f"用工形式 {old} → {new}")
    if after.full_time != before.full_time:
        what.append(f"改为{'专职' if after.full_time else '兼职'}")
    if after.political != before.political:
        what.append(f"政治面貌 {before.political or '未填'} → {after.political}")
    return "，".join(what)
