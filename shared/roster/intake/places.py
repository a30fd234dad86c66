"""Which unit each row means, and which units the file makes new or changes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from shared.roster.intake.schemas import Divisions, Entry, UnitChange
from shared.roster.roles import Role, UnitKind
from shared.roster.rules import county_code, grid_type_of, parent_code
from shared.roster.schemas import UnitRow

Complain = Callable[[Entry, str, str], None]
"""entry, column, sentence → a fault of the file."""
TOWNSHIP_ROLES = frozenset({Role.INSTRUCTOR})
ANYWHERE_ROLES = frozenset({Role.AGENCY, Role.TRAINER})


class Names(msgspec.Struct):
    """What codes are called: by the divisions, the roster and the file, in that order."""

    official: dict[str, str]
    """Divisions, else the roster."""
    from_file: dict[str, str]
    townships: dict[str, set[str]]
    """Township name → codes."""
    strict: bool
    """A divisions file was given: a code that it does not have is a fault."""
    namesakes: dict[tuple[str, str], set[str]] = {}
    """Parent's code and name → the villages or grids in use that bear it."""
    households: dict[str, int] = {}
    """Grid → the number the file's first row states."""


def locate(
    entries: Sequence[Entry],
    units: Mapping[str, UnitRow],
    divisions: Divisions | None,
    county_id: int,
    complain: Complain,
) -> Names:
    """Set every entry's ``unit_code`` (empty = unknown) and learn the names of the codes."""
    names = _names(entries, units, divisions)
    for entry in entries:
        entry.unit_code = _unit_code(entry, names, county_code(county_id), complain)
        if entry.unit_code:
            _check_names(entry, names, complain)
    return names


def unit_changes(
    entries: Iterable[Entry],
    units: Mapping[str, UnitRow],
    names: Names,
    divisions: Divisions | None,
    new_id: Callable[[], UUID],
) -> tuple[list[UnitRow], list[UnitChange]]:
    """New units, parents first, and renamed or recounted ones."""
    wanted = _wanted(entries, divisions)
    known = dict(units)
    new: list[UnitRow] = []
    changed: list[UnitChange] = []
    for code in sorted(wanted, key=lambda code: (len(code), code)):
        households = wanted[code]
        name = _name(code, names, known)
        found = known.get(code)
        if found is None:
            unit = UnitRow(
                id=new_id(),
                code=code,
                kind=KINDS[len(code)],
                name=name,
                grid_type=_grid_type(code, name, known),
                parent_id=known[parent_code(code)].id,
                households=households,
            )
            known[code] = unit
            new.append(unit)
            continue
        count = found.households if households is None else households
        reopened = found.closed_on is not None
        if reopened or (name, count) != (found.name, found.households):
            changed.append(
                UnitChange(found.id, code, name, count, found.name, found.households, reopened)
            )
    return new, changed


KINDS = {9: UnitKind.TOWNSHIP, 12: UnitKind.VILLAGE, 15: UnitKind.GRID}


def _names(
    entries: Sequence[Entry], units: Mapping[str, UnitRow], divisions: Divisions | None
) -> Names:
    official = {code: unit.name for code, unit in units.items()}
    for division in divisions.villages if divisions else ():
        official[division.township_code] = division.township
        official[division.village_code] = division.village
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        code = entry.village_code or ""
        if entry.township and len(code) >= 9:
            said[code[:9]][entry.township] += 1
        if entry.village and len(code) == 12:
            said[code][entry.village] += 1
        if entry.grid_name and len(entry.grids) == 1:
            said[entry.grids[0]][entry.grid_name] += 1
    from_file = {code: names.most_common(1)[0][0] for code, names in said.items()}
    townships: dict[str, set[str]] = defaultdict(set)
    for source in (official, from_file):
        fresh = {name for code, name in source.items() if len(code) == 9} - townships.keys()
        for code, name in source.items():
            if len(code) == 9 and name in fresh:
                townships[name].add(code)
    namesakes = _namesakes(official, from_file, units)
    return Names(official, from_file, townships, strict=divisions is not None, namesakes=namesakes)


def _namesakes(
    official: Mapping[str, str], from_file: Mapping[str, str], units: Mapping[str, UnitRow]
) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for code, name in {**official, **from_file}.items():
        in_use = code in from_file or code not in units or units[code].closed_on is None
        if len(code) > 9 and in_use:
            found[parent_code(code), name].add(code)
    return found


def _unit_code(entry: Entry, names: Names, county: str, complain: Complain) -> str:
    code = entry.village_code
    if entry.role in ANYWHERE_ROLES:
        return code or (_township(entry, names, complain) if entry.township else county)
    if entry.role in TOWNSHIP_ROLES:
        return code[:9] if code and len(code) >= 9 else _township(entry, names, complain)
    if not code:
        complain(entry, "村代码", "请填写村代码（12 位）。")
        return ""
    return entry.grids[0] if entry.role is Role.GRIDWORKER else code


def _township(entry: Entry, names: Names, complain: Complain) -> str:
    if not entry.township:
        complain(entry, "乡镇", "请填写乡镇名称，或在“村代码”里填写 9 位乡镇代码。")
        return ""
    codes = names.townships.get(entry.township, set())
    if len(codes) == 1:
        return next(iter(codes))
    if codes:
        complain(entry, "乡镇", f"有几个乡镇都叫“{entry.township}”，请在“村代码”里填写乡镇代码。")
    else:
        complain(
            entry, "乡镇", f"不知道“{entry.township}”的代码：区划表、名册和本表其他行里都没有它。"
        )
    return ""


def _check_names(entry: Entry, names: Names, complain: Complain) -> None:
    """A code and a name that contradict each other: one of the two was mistyped."""
    township, village = entry.unit_code[:9], entry.unit_code[:12]
    if len(township) == 9:
        _check_name(entry, "乡镇", township, entry.township, names, complain)
    if len(village) == 12:
        _check_name(entry, "村社区", village, entry.village, names, complain)
    if len(entry.grids) == 1:
        _check_name(entry, "网格名称", entry.grids[0], entry.grid_name, names, complain)
        _check_households(entry, names, complain)


def _check_name(
    entry: Entry, column: str, code: str, name: str | None, names: Names, complain: Complain
) -> None:
    """Nobody knows the code, or the name is that of a neighbour, or the file says two names."""
    if len(code) < 15 and names.strict and code not in names.official:
        complain(entry, "村代码", f"代码 {code} 不在区划表里，请核对。")
        return
    twins = names.namesakes.get((parent_code(code), name or ""), set())
    if code in twins and code not in names.official and len(twins) > 1:
        twin = min(twins - {code})
        complain(
            entry,
            column,
            f"代码 {twin} 也叫“{name}”。同一个单位请写同一个代码（向下拖动会把代码加一），"
            "不同的单位请写不同的名称。",
        )
        return
    mine = names.official.get(code) or names.from_file.get(code)
    if mine is None and len(code) < 15:
        complain(entry, column, f"系统里还没有 {code}，请填写它的名称。")
    if mine is None or name is None or name == mine:
        return
    if other := _neighbour(code, name, names):
        complain(entry, column, f"代码 {code} 是“{mine}”，“{name}”的代码是 {other}，请核对。")
    elif names.from_file.get(code, name) != name and not names.strict:
        usual = names.from_file[code]
        complain(entry, column, f"代码 {code} 在其他行写的是“{usual}”，请统一。")


def _neighbour(code: str, name: str, names: Names) -> str | None:
    """The code of another unit of the same parent that bears this name."""
    for other, taken in names.official.items():
        if taken == name and len(other) == len(code) and parent_code(other) == parent_code(code):
            return other
    return None


def _check_households(entry: Entry, names: Names, complain: Complain) -> None:
    if entry.households is None:
        return
    first = names.households.setdefault(entry.grids[0], entry.households)
    if first != entry.households:
        complain(entry, "户数", f"同一网格在前面的行写的是 {first} 户，请统一。")


def _wanted(entries: Iterable[Entry], divisions: Divisions | None) -> dict[str, int | None]:
    """Codes that must exist, and the households the file states for a grid."""
    wanted: dict[str, int | None] = {}
    for division in divisions.villages if divisions else ():
        wanted |= {division.township_code: None, division.village_code: None}
    for entry in entries:
        for code in (entry.unit_code, *entry.grids):
            for length in (9, 12, 15):
                if len(code) >= length:
                    wanted.setdefault(code[:length], None)
        if len(entry.grids) == 1 and entry.households is not None:
            wanted[entry.grids[0]] = entry.households
    return wanted


def _name(code: str, names: Names, known: Mapping[str, UnitRow]) -> str:
    """The divisions' name; without divisions the file's, because units are renamed."""
    found = known.get(code)
    if names.strict and len(code) < 15:
        return names.official[code]
    if given := names.from_file.get(code):
        return given
    if found:
        return found.name
    return names.official.get(code) or f"{known[parent_code(code)].name}第{int(code[-3:])}网格"


def _grid_type(code: str, name: str, known: Mapping[str, UnitRow]) -> str | None:
    if len(code) == 9:
        return None
    return grid_type_of(name) if len(code) == 12 else known[parent_code(code)].grid_type
