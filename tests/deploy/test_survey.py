"""``gridmerit survey redraw`` and ``gridmerit import households`` as processes."""

from pathlib import Path

import asyncpg
import openpyxl

from appraisal.survey import draw
from appraisal.survey.draw import Household
from tests.conftest import Servers
from tests.deploy.test_cli import say
from tests.shared.roster.intake import sheets

VALUE = "07 13 21 28 30 33 + 05"


async def test_anybody_repeats_the_draw_offline(tmp_path: Path) -> None:
    """Exit code 0 for the published draw, 1 for another value or list, 2 for no list at all."""
    households = [Household("421222100001001", f"{n:03d}", f"{n % 3}组") for n in range(80)]
    content = draw.list_file(households)
    (tmp_path / "list.csv").write_bytes(content)
    made = draw.draw_file(draw.draw(households, draw.seed_of(draw.digest(content), VALUE), 30))
    (tmp_path / "draw.csv").write_bytes(made)

    async def redraw(*options: str, value: str = VALUE) -> tuple[int | None, str, str]:
        return await say(
            tmp_path, "survey", "redraw", "list.csv", "--value", value, *options,
            DATABASE_URL="postgresql://nowhere.invalid/none",
        )  # fmt: skip

    checks = ("--list-hash", draw.digest(content), "--hash", draw.digest(made)[:12] + "…")
    code, out, err = await redraw(*checks, "--against", "draw.csv", "--output", "mine.csv")
    assert (code, err, "与公布的一致" in out) == (0, "", True)
    assert (tmp_path / "mine.csv").read_bytes() == made
    code, _, err = await redraw(*checks, value="07 13 22")
    assert (code, "与公布的不同：抽样结果校验码" in err) == (1, True)
    (tmp_path / "list.csv").write_bytes(content[:-40])
    code, _, err = await redraw("--list-hash", draw.digest(content))
    assert code in {1, 2}
    assert "Traceback" not in err
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe")
    assert (await redraw())[0] == 2


async def test_households_are_imported_on_the_console(
    servers: Servers, empty_database: str, tmp_path: Path
) -> None:
    """Dry run, import, the same again, faults with their report."""
    (tmp_path / "roster.xlsx").write_bytes(sheets.workbook(sheets.staff()))
    (tmp_path / "divisions.csv").write_bytes(sheets.divisions())
    settings = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": servers.redis,
        "GRIDMERIT_DATA_DIR": str(tmp_path / "data"),
    }

    async def run(*arguments: str) -> tuple[int | None, str, str]:
        return await say(tmp_path, "import", *arguments, "--county", "421222", **settings)

    assert (await run("roster", "roster.xlsx", "--divisions", "divisions.csv"))[0] == 0
    owner = await asyncpg.connect(empty_database)
    grid = await owner.fetchval("SELECT min(code) FROM shared.unit WHERE kind = 'grid'")
    await owner.close()
    lines = ["网格编码,户号,村民小组", *(f"{grid},{n:03d},1组" for n in range(40))]
    (tmp_path / "h.csv").write_bytes("\n".join(lines).encode("gb18030"))
    code, out, _ = await run("households", "h.csv", "--dry-run")
    assert (code, "将新增 40" in out) == (0, True)
    assert "已新增 40" in (await run("households", "h.csv"))[1]
    assert "已新增 0" in (await run("households", "h.csv"))[1]
    (tmp_path / "h.csv").write_bytes("\n".join([*lines, lines[1]]).encode("gb18030"))
    code, out, err = await run("households", "h.csv", "--report", "faults.xlsx")
    assert (code, "第 42 行“户号”" in out, "没有导入任何内容" in err) == (2, True, True)
    sheet = openpyxl.load_workbook(tmp_path / "faults.xlsx").worksheets[0]
    assert sheet["B42"].fill.fgColor.rgb == "FFFFC7CE"
