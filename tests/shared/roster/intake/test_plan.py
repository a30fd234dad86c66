"""The difference between a file and a roster, on random worlds without a database."""

from datetime import date, timedelta
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ids import new_id
from shared.roster import phones
from shared.roster.intake.columns import ID_TITLE, read_entries, read_roster
from shared.roster.intake.plan import MOVED, Options, make_plan
from shared.roster.intake.schemas import Known, KnownPerson, KnownTenure, Plan
from shared.roster.roles import Role
from shared.roster.schemas import UnitRow
from tests.factories import COUNTY
from tests.shared.roster.intake import sheets
from tests.shared.roster.intake.test_faults import TODAY, empty


def compare(
    people: list[sheets.Cells],
    known: Known,
    *,
    on: date = TODAY,
    end_missing: bool = False,
) -> tuple[Plan, list[str]]:
    """The plan and the faults."""
    table = read_roster(sheets.workbook(people), "花名册.xlsx")
    entries = read_entries(table, COUNTY, on)
    options = Options(county_id=COUNTY, today=on, end_missing=end_missing)
    return make_plan(table, entries, known, None, options, new_id), table.sentences()


def applied(known: Known, plan: Plan) -> Known:
    """What the roster is after the plan was written."""
    units: dict[str, UnitRow] = dict(known.units) | {unit.code: unit for unit in plan.new_units}
    for change in plan.changed_units:
        units[change.code] = msgspec.structs.replace(
            units[change.code], name=change.name, households=change.households
        )
    people = dict(known.people)
    for new in plan.new_people:
        people[new.id] = KnownPerson(
            new.id, new.name, new.fingerprint, new.employment, new.full_time, new.political
        )
    for edit in plan.changed_people:
        people[edit.before.id] = KnownPerson(
            edit.before.id,
            edit.name,
            edit.fingerprint,
            edit.employment,
            edit.full_time,
            edit.political,
        )
    posts = dict(known.posts) | {post.id: post for post in plan.new_posts}
    tenures = dict(known.tenures)
    for end in plan.ends:
        tenures[end.tenure_id] = msgspec.structs.replace(tenures[end.tenure_id], valid_to=end.on)
    for fixed in plan.corrections:
        tenures[fixed.tenure_id] = msgspec.structs.replace(
            tenures[fixed.tenure_id], valid_from=fixed.after
        )
    for start in plan.starts:
        tenures[start.id] = KnownTenure(
            start.id, start.post_id, start.person_id, start.valid_from, None
        )
    return Known(units=units, people=people, posts=posts, tenures=tenures)


def imported(people: list[sheets.Cells], known: Known | None = None, on: date = TODAY) -> Known:
    known = known or empty()
    plan, faults = compare(people, known, on=on)
    assert faults == []
    return applied(known, plan)


def held(known: Known, on: date = TODAY) -> dict[str, str]:
    """Phone fingerprint-free view: unit and role → name, on a day."""
    found = {}
    for tenure in known.tenures.values():
        if tenure.valid_from <= on and (tenure.valid_to is None or tenure.valid_to > on):
            post = known.posts[tenure.post_id]
            key = f"{post.role} {post.unit_code} {','.join(post.grids)} {post.seat}"
            assert key not in found, "two people at one post"
            found[key] = known.people[tenure.person_id].name
    return found


def test_the_same_file_again_changes_nothing() -> None:
    """Whether the same day or a month later."""
    known = imported(sheets.staff())
    for on in (TODAY, TODAY + timedelta(days=30)):
        plan, faults = compare(sheets.staff(), known, on=on)
        assert (plan.is_empty, plan.unchanged, faults) == (True, 8, [])


def test_somebody_new_in_somebodys_post() -> None:
    """Who left is ended on the day the other starts, and said."""
    people = sheets.staff()
    people[1] = sheets.person("新来人", "13800000009", "总网格长", None, 到岗日期="2026-11-01")
    plan, faults = compare(people, imported(sheets.staff()))
    assert faults == []
    assert [(line.name, line.text) for line in plan.joined] == [
        ("新来人", "雁塔社区居委会总网格长，2026年11月1日起")
    ]
    assert [(line.name, line.text) for line in plan.left] == [
        ("余伟", "雁塔社区居委会总网格长，2026年11月1日起岗位由新来人接任")
    ]
    assert plan.missing == []
    assert plan.new_posts == []


def ended(known: Known, name: str, on: date) -> Known:
    """After the desk ended whatever the person holds."""
    tenures = dict(known.tenures)
    for tenure in known.tenures.values():
        if known.people[tenure.person_id].name == name and tenure.valid_to is None:
            tenures[tenure.id] = msgspec.structs.replace(tenure, valid_to=on)
    return msgspec.structs.replace(known, tenures=tenures)


def test_nobody_takes_a_gridworkers_post_by_standing_in_its_row() -> None:
    """The holder leaves by the desk or an exit case first; from that day the post is free."""
    people = sheets.staff()
    people[4] = sheets.person("新来人", "13800000009", grid=1, 到岗日期="2026-11-01")
    known = imported(sheets.staff())
    plan, faults = compare(people, known)
    assert "".join(faults) == (
        "第 8 行“姓名”：欧阳金山现在是这个岗位的网格员，请先在名册里给欧阳金山办理离任"
        "（或办完退出），再导入。"
    )
    assert (plan.starts, plan.ends) == ([], [])
    for left, start in ((date(2026, 10, 31), "1日"), (date(2026, 11, 20), "24日")):
        plan, faults = compare(people, ended(known, "欧阳金山", left))
        assert faults == []
        assert [line.text.split("，")[-1] for line in plan.joined] == [f"2026年11月{start}起"]
        assert plan.left == []


def test_a_gridworker_who_moves_in_the_same_file_makes_room() -> None:
    """That is a transfer, as before."""
    people = sheets.staff()
    people[4] = sheets.person("新来人", "13800000009", grid=1, 到岗日期="2026-11-20")
    moved = sheets.person("欧阳金山", "18064884206", "两委成员", None, 到岗日期="2026-11-20")
    known = imported(sheets.staff())
    plan, faults = compare([*people, moved], known)
    assert faults == []
    assert [(line.name, line.text) for line in plan.moved] == [
        ("欧阳金山", "雁塔社区第1网格网格员 → 雁塔社区居委会两委成员，2026年11月20日起")
    ]
    assert plan.left == []


def double(**cells: str) -> sheets.Cells:
    """The chief's other post."""
    return sheets.person("余伟", "13649782844", "网格员", 3, 用工形式="村干部兼任") | cells


def test_a_cadre_with_two_posts_stands_in_two_rows() -> None:
    """They were refused, so that the second post was never in a file; again it changes nothing."""
    people = [*sheets.staff(), double()]
    people[1] |= {"岗位": "总网格长", "政治面貌": ""}
    people[8] |= {"岗位": "兼职网格员", "政治面貌": "中共党员"}
    known = imported(people)
    [chief] = [person for person in known.people.values() if person.name == "余伟"]
    assert (chief.full_time, chief.political) == (False, "中共党员")
    posts = [known.posts[t.post_id].role for t in known.tenures.values() if t.person_id == chief.id]
    assert sorted(posts) == ["chief", "gridworker"]
    assert compare(people, known)[0].is_empty
    assert len(imported([*people[:1], *people[2:], people[1]]).people) == len(known.people)
    later = imported(people, imported(sheets.staff()))
    assert held(later) == held(known)
    for row in (people[1], people[8]):
        row["手机号"] = "13800000077"
    for rows in (people, [people[8], *people[:8]]):
        plan, faults = compare(rows, known)
        assert (faults, len(plan.changed_people), plan.new_people) == ([], 1, [])


def test_two_rows_of_one_person_must_not_contradict() -> None:
    """Two grids, or two kinds of employment."""
    known = imported(sheets.staff())
    _, faults = compare([*sheets.staff(), double(用工形式="合同制")], known)
    assert faults == [
        "第 12 行“姓名”：与第 5 行是同一个人，用工形式、专职兼职、政治面貌要写得一样。"
    ]
    twice = sheets.person("欧阳金山", "18064884206", grid=3)
    _, faults = compare([*sheets.staff(), twice], known)
    assert [fault.partition("：")[0] for fault in faults] == ["第 8 行“手机号”", "第 12 行“手机号”"]


def test_who_comes_back_with_another_number_is_pointed_out() -> None:
    """Nothing but the name says so; the office decides before it accepts the file."""
    people = sheets.staff()
    known = ended(imported(people), "欧阳金山", date(2026, 10, 31))
    people[4]["手机号"] = "13800000009"
    plan, faults = compare(people, known)
    [line] = plan.joined
    assert (faults, len(plan.new_people)) == ([], 1)
    assert "已离任的同名人（原雁塔社区第1网格网格员）" in line.text
    people[4]["手机号"] = "18064884206"
    plan, _ = compare(people, known)
    assert (plan.new_people, "同名人" in plan.joined[0].text) == ([], False)


def test_a_move_leaves_no_day_between_two_posts() -> None:
    """Whoever takes the old post earlier would put the mover out of work meanwhile."""
    people = sheets.staff()
    moved = sheets.person("欧阳金山", "18064884206", grid=3, 到岗日期="2026-11-24")
    people[4] = sheets.person("新来人", "13800000009", grid=1, 到岗日期="2026-11-20")
    known = imported(sheets.staff())
    _, faults = compare([*people, moved], known)
    assert "".join(faults) == (
        "第 12 行“到岗日期”：欧阳金山的雁塔社区第1网格网格员岗位从 2026-11-20 起由别人接任，"
        "到 2026-11-24 才到新岗位，中间不能空着：请填同一天。"
    )
    people[4]["到岗日期"] = "2026-11-28"
    plan, faults = compare([*people, moved], known)
    assert (faults, [end.on for end in plan.ends]) == ([], [date(2026, 11, 24)])


def test_a_gridworkers_other_post_in_the_file_makes_no_room() -> None:
    """The row confirms what they hold anyway: nobody moves."""
    double = sheets.person("甲乙", "13800000008", "两委成员", None)
    known = imported([*sheets.staff(), double])
    ids = {person.name: person.id for person in known.people.values()}
    known.tenures = {
        tenure.id: msgspec.structs.replace(tenure, person_id=ids["欧阳金山"])
        if tenure.person_id == ids["甲乙"]
        else tenure
        for tenure in known.tenures.values()
    }
    people = sheets.staff()
    people[4] = sheets.person("新来人", "13800000009", grid=1)
    _, faults = compare([*people, double | {"姓名": "欧阳金山", "手机号": "18064884206"}], known)
    assert ["现在是这个岗位的网格员" in fault for fault in faults] == [True]


def test_the_row_that_moves_the_holder_is_mended_first() -> None:
    """While it has another fault nobody is told to end the holder's post."""
    people = sheets.staff()
    people[4] = sheets.person("新来人", "13800000009", grid=1)
    people.append(sheets.person("欧阳金山", "1806488420", grid=3))
    _, faults = compare(people, imported(sheets.staff()))
    assert [fault.partition("：")[0] for fault in faults] == ["第 12 行“手机号”"]


def test_a_gridworker_who_has_not_begun_is_not_pushed_out_either() -> None:
    """An appointment ahead is taken back at the desk."""
    promised = sheets.person("王五", "13800000008", grid=3, 到岗日期="2027-01-01")
    known = imported([*sheets.staff(), promised])
    rival = sheets.person("赵六", "13800000009", grid=3, 到岗日期="2027-06-01")
    _, faults = compare([*sheets.staff(), rival], known)
    assert faults == ["第 12 行“姓名”：王五已安排到这个岗位，请先在名册里取消，再导入。"]


def test_missing_people_are_listed_and_ended_only_on_demand() -> None:
    """Silence in a file is no order to dismiss."""
    known = imported(sheets.staff())
    fewer = [*sheets.staff()[:3], *sheets.staff()[4:]]
    plan, _ = compare(fewer, known)
    assert plan.is_empty
    assert [(line.name, line.text) for line in plan.missing] == [
        ("汪春花", "雁塔社区居委会网格长（雁塔社区第2网格）")
    ]
    plan, _ = compare(fewer, known, end_missing=True)
    assert [end.on for end in plan.ends] == [TODAY]


def test_missing_gridworkers_are_listed_and_never_ended() -> None:
    """A list that leaves somebody out is no served notice."""
    known = imported(sheets.staff())
    plan, _ = compare(sheets.staff()[:2], known, end_missing=True)
    assert len(plan.missing) == 6
    assert plan.staying == 4
    names = {known.people[end.person_id].name for end in plan.ends}
    assert names == {"郑志强", "汪春花"}
    plan, _ = compare(sheets.staff()[:-1], known, end_missing=True)
    assert plan.is_empty
    assert [line.name for line in plan.missing] == ["仇桂兰"]


def test_a_file_of_one_township_says_nothing_of_the_others() -> None:
    """People of townships that are not in the file are not missing."""
    other = sheets.person("甲", "13800000009", place=("麦市镇", "麦市村", "421222101001"))
    known = imported([*sheets.staff(), other])
    plan, _ = compare(sheets.staff(), known, end_missing=True)
    assert plan.is_empty
    assert plan.missing == []


def test_two_people_swap_their_posts() -> None:
    """Both end and start on the same day; nobody is new."""
    people = sheets.staff()
    one, two = people[4], people[5]
    people[4] = one | {"姓名": two["姓名"], "手机号": two["手机号"], "到岗日期": "2026-11-20"}
    people[5] = two | {"姓名": one["姓名"], "手机号": one["手机号"], "到岗日期": "2026-11-20"}
    known = imported(sheets.staff())
    plan, faults = compare(people, known)
    assert faults == []
    assert len(plan.moved) == 2
    assert (plan.new_people, plan.new_posts, plan.left, plan.missing) == ([], [], [], [])
    assert {end.on for end in plan.ends} == {start.valid_from for start in plan.starts}
    after = applied(known, plan)
    assert held(after)["gridworker 421222100001001  1"] == "苏建国"
    assert held(known) == held(after, date(2026, 11, 19))


def test_the_first_day_of_hire_carried_along_in_a_move() -> None:
    """A date before the old post began cannot be the new post's: today counts, once."""
    people = sheets.staff()
    people[4] |= {"网格编码": "421222100001003", "网格名称": "雁塔社区第3网格", "户数": 103}
    known = imported(sheets.staff())
    plan, faults = compare(people, known)
    assert faults == []
    assert [start.valid_from for start in plan.starts] == [TODAY]
    after = applied(known, plan)
    for later in (TODAY, TODAY + timedelta(days=3)):
        again, faults = compare(people, after, on=later)
        assert (again.is_empty, faults) == (True, [])


def test_a_future_start() -> None:
    """The old post goes on until then; importing again before or after changes nothing."""
    people = sheets.staff()
    people[4] |= {"网格编码": "421222100001003", "网格名称": "雁塔社区第3网格", "户数": 103}
    people[4]["到岗日期"] = "2027-01-01"
    known = imported(sheets.staff())
    after = imported(people, known)
    assert held(after) == held(known)
    assert "gridworker 421222100001003  1" in held(after, date(2027, 1, 1))
    for later in (TODAY, date(2027, 2, 1)):
        again, faults = compare(people, after, on=later)
        assert (again.is_empty, again.missing, faults) == (True, [], [])


def test_corrections() -> None:
    """Name in the same post, phone by name, employment, party, first day, households."""
    people = sheets.staff()
    people[1] |= {"姓名": "余炜"}
    people[3] |= {"户数": 150}
    people[4] |= {"手机号": "13800000009"}
    people[5] |= {"用工形式": "志愿者", "政治面貌": "中共党员", "户数": 150}
    people[6] |= {"到岗日期": "2025-06-01"}
    people[7] |= {"政治面貌": "", "到岗日期": ""}
    known = imported(sheets.staff())
    plan, faults = compare(people, known)
    assert faults == []
    assert (plan.joined, plan.moved, plan.ends, plan.missing) == ([], [], [], [])
    lines = plan.changed + plan.renamed
    assert sorted((line.name, line.text) for line in lines) == [
        ("余伟", "姓名 余伟 → 余炜"),
        ("卢立新", "到岗日期 2026年1月1日 → 2025年6月1日"),
        ("欧阳金山", "手机号"),
        ("苏建国", "用工形式 合同制 → 志愿者，改为兼职，政治面貌 群众 → 中共党员"),
        ("雁塔社区第2网格", "户数 102 → 150"),
    ]
    again, _ = compare(people, applied(known, plan))
    assert again.is_empty


def test_a_village_renamed_to_a_community_says_what_does_not_follow() -> None:
    """Its type decides whom its workers are compared with, and a file does not state it."""
    people = sheets.staff()
    known = imported(people)
    for row in people[6:8]:
        row["村社区"] = "石南社区居委会"
    plan, faults = compare(people, known)
    assert faults == []
    assert [line.text for line in plan.renamed] == [
        "改名为石南社区居委会，网格类型没有跟着改，要改请在单位页面改"
    ]


def test_a_phone_of_somebody_else_is_a_fault() -> None:
    """A stranger's name beside a known phone, in another post."""
    people = sheets.staff()
    people.append(sheets.person("新来人", people[4]["手机号"], grid=3))
    del people[4]
    _, faults = compare(people, imported(sheets.staff()))
    assert faults == ["第 11 行“手机号”：这个手机号已登记给“欧阳金山”，请核对姓名和号码。"]


def test_a_post_promised_to_somebody_is_not_given_away() -> None:
    """A future assignment stands in the way of today's."""
    promised = sheets.person("王五", "13800000008", grid=3, 到岗日期="2027-01-01")
    known = imported([*sheets.staff(), promised])
    rival = sheets.person("赵六", "13800000009", grid=3, 到岗日期="2026-12-01")
    _, faults = compare([*sheets.staff(), rival], known)
    assert len(faults) == 1
    assert "到岗日期" in faults[0]
    assert "2027年1月2日" in faults[0]


PHONES = [f"1390000{number:04d}" for number in range(12)]
SPOTS: list[tuple[str, int | None]] = [
    ("网格员", 1),
    ("网格员", 2),
    ("网格员", 3),
    ("网格长", 1),
    ("网格长", 2),
    ("总网格长", None),
    ("村监委会", None),
    ("两委成员", None),
]


@st.composite
def worlds(draw: st.DrawFn) -> list[sheets.Cells]:
    """A valid roster: each post at most once, each person at most once."""
    who = draw(st.lists(st.sampled_from(range(12)), unique=True, min_size=1, max_size=len(SPOTS)))
    spots = draw(st.permutations(SPOTS))
    made = []
    for number, (role, grid) in zip(who, spots, strict=False):
        day = draw(st.dates(date(2026, 1, 1), date(2027, 3, 1)))
        made.append(
            sheets.person(
                f"人{'甲乙丙丁戊己庚辛壬癸子丑'[number]}",
                PHONES[number],
                role,
                grid,
                到岗日期=f"{day:%Y-%m-%d}",
            )
        )
    return made


@settings(max_examples=20, deadline=None)
@given(worlds(), worlds(), st.booleans())
def test_any_two_files_in_a_row(
    first: list[sheets.Cells],
    second: list[sheets.Cells],
    end_missing: bool,  # noqa: FBT001  hypothesis passes it by position
) -> None:
    """After a file without faults its people hold posts, alone, and the file again is no change.

    Gridworkers in somebody's way leave by the desk first, as the file's faults say.
    """
    known = imported(first)
    plan, faults = compare(second, known, end_missing=end_missing)
    if any("先在名册里" in fault for fault in faults):
        known = _made_room(known, faults)
        plan, faults = compare(second, known, end_missing=end_missing)
        assert not any("先在名册里" in fault for fault in faults)
    if faults:
        return
    for end in plan.ends:
        post = known.posts[known.tenures[end.tenure_id].post_id]
        assert post.role is not Role.GRIDWORKER or end.reason == MOVED
    after = applied(known, plan)
    _no_overlap(after)
    later = date(2028, 1, 1)
    at = held(after, later)
    for row in second:
        assert row["姓名"] in at.values()
    again, faults = compare(second, after, end_missing=end_missing)
    assert faults == []
    assert again.is_empty
    if end_missing:
        staying = {line.name for line in plan.missing if line.text.endswith("网格员")}
        assert {line.name for line in plan.missing} & set(at.values()) == staying


def _made_room(known: Known, faults: list[str]) -> Known:
    """What the desk does about such faults: end what has begun, take back what has not."""
    told = " ".join(faults)
    tenures = {}
    for tenure in known.tenures.values():
        name = known.people[tenure.person_id].name
        if f"给{name}办理离任" in told:
            day = tenure.valid_from + timedelta(days=1)
            tenures[tenure.id] = msgspec.structs.replace(tenure, valid_to=day)
        elif f"{name}已安排到" not in told:
            tenures[tenure.id] = tenure
    return msgspec.structs.replace(known, tenures=tenures)


def _no_overlap(known: Known) -> None:
    by_post: dict[object, list[tuple[date, date]]] = {}
    for tenure in known.tenures.values():
        end = tenure.valid_to or date.max
        assert tenure.valid_from < end
        by_post.setdefault(tenure.post_id, []).append((tenure.valid_from, end))
    for periods in by_post.values():
        ordered = sorted(periods)
        for (_, end), (start, _) in pairwise(ordered):
            assert end <= start


def test_the_fingerprint_decides_not_the_spelling() -> None:
    """A phone written with blanks is the same phone."""
    people = sheets.staff()
    people[4]["手机号"] = "180 6488 4206"
    assert phones.clean(people[4]["手机号"]) == "18064884206"
    plan, _ = compare(people, imported(sheets.staff()))
    assert plan.is_empty


def exported(known: Known) -> list[sheets.Cells]:
    """The staff's rows as our own export gives them."""
    ids = {known.people[one.person_id].name: str(one.id) for one in known.tenures.values()}
    return [cells | {ID_TITLE: ids[cells["姓名"]]} for cells in sheets.staff()]


def faults_of(people: list[sheets.Cells], known: Known, within: tuple[str, ...] = ()) -> list[str]:
    header = ["序号", ID_TITLE, *sheets.HEADER[1:]]
    table = read_roster(sheets.workbook(people, header), "花名册.xlsx")
    entries = read_entries(table, COUNTY, TODAY)
    options = Options(county_id=COUNTY, today=TODAY, within=within)
    make_plan(table, entries, known, None, options, new_id)
    return table.sentences()


def test_a_row_copied_from_our_export_is_nobody_twice() -> None:
    """Offices add a person by copying a row: the hidden 任职编号 comes along, and says another."""
    known = imported(sheets.staff())
    people = exported(known)
    new = sheets.person("新来人", "13800000009", grid=3)
    assert faults_of([*people, new], known) == []
    found = faults_of([*people, people[4] | new], known)
    assert [one.partition("。")[0] for one in found] == [
        "第 8 行“任职编号”：与第 12 行的编号相同",
        "第 12 行“任职编号”：与第 8 行的编号相同",
    ]


def test_a_successor_typed_over_a_row_of_our_export_is_somebody_else() -> None:
    """One of name and phone may be corrected; with both it would be another's account."""
    known = imported(sheets.staff())
    for cells, sentences in (
        ({"姓名": "欧阳金三"}, []),
        ({"手机号": "13800000009"}, []),
        ({"姓名": "新来人", "手机号": "13800000009"}, ["第 8 行“姓名”：姓名和手机号都"]),
    ):
        people = exported(known)
        people[4] |= cells
        assert [one[:17] for one in faults_of(people, known)] == sentences


def test_nobody_is_moved_or_changed_out_of_another_township() -> None:
    """A township's file ended the post of whoever it named, wherever that was; the desk refuses."""
    other = ("麦市镇", "麦市村", "421222101001")
    there = sheets.person("甲乙", "13800000009", place=other)
    known = imported([*sheets.staff(), there])
    moved = sheets.person("甲乙", "13800000009", grid=3)
    assert faults_of([*sheets.staff(), moved], known) == []
    assert faults_of([*sheets.staff(), moved], known, ("421222100",)) == [
        "第 12 行“姓名”：甲乙现在也是麦市村第1网格网格员，不在您管理的范围内，请由县里办理。"
    ]
    back = imported([sheets.person("甲乙", "13800000009", grid=3)], known)
    assert faults_of([*sheets.staff(), moved], back, ("421222100",)) == []
