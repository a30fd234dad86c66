"""``gridmerit import roster`` as a process, on a database of its own."""

from pathlib import Path

import openpyxl

from deploy import runtime
from tests.conftest import Servers
from tests.deploy.test_cli import say
from tests.shared.roster.intake import sheets


async def test_the_command_from_dry_run_to_difference(
    servers: Servers, empty_database: str, tmp_path: Path
) -> None:
    """Dry run, import, the same again, a newer file, faults with their report, a wrong file."""
    file, report = tmp_path / "花名册.xlsx", tmp_path / "错误.xlsx"
    (tmp_path / "divisions.csv").write_bytes(sheets.divisions())
    settings = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": servers.redis,
        "GRIDMERIT_DATA_DIR": str(tmp_path / "data"),
    }

    async def run(*options: str) -> tuple[int | None, str, str]:
        command = ("import", "roster", str(file), "--county", "421222", *options)
        code, out, err = await say(tmp_path, *command, COLUMNS="200", **settings)
        return code, " ".join(out.replace("│", " ").split()), err

    file.write_bytes(sheets.workbook(sheets.staff()))
    code, out, err = await run("--divisions", str(tmp_path / "divisions.csv"), "--dry-run")
    assert (code, err) == (0, f"{runtime.MIGRATING}\n")
    assert "只检查，没有写入" in out
    assert "新到岗 8" in out
    assert "性别、身份证号" in out
    code, out, _ = await run("--divisions", str(tmp_path / "divisions.csv"))
    assert (code, "新到岗 8" in out) == (0, True)
    code, out, _ = await run()
    assert (code, "没有变化 8" in out) == (0, True)

    file.write_bytes(sheets.workbook([*sheets.staff()[:3], *sheets.staff()[4:-1]]))
    code, out, _ = await run()
    assert (code, "不在新表 2" in out, "仇桂兰" in out, "离任 0" in out) == (0, True, True, True)
    assert "网格员不随表离任" in out
    code, out, _ = await run("--end-missing")
    assert (code, "离任 1" in out) == (0, True)
    code, out, _ = await run()
    assert (code, "不在新表 1" in out, "仇桂兰" in out) == (0, True, True)

    people = sheets.staff()
    people[2]["手机号"] = "123"
    file.write_bytes(sheets.workbook(people))
    code, out, err = await run("--report", str(report))
    assert code == 2
    assert "第 6 行“手机号”" in out
    assert "没有导入任何内容" in err
    sheet = openpyxl.load_workbook(report).worksheets[0]
    assert sheet["K6"].fill.fgColor.rgb == "FFFFC7CE"

    file.write_bytes(b"%PDF-1.7")
    code, _, err = await run()
    assert code == 2
    assert "PDF" in err
    assert "Traceback" not in err


async def test_a_restore_without_its_secret_is_noticed(
    servers: Servers, empty_database: str, tmp_path: Path
) -> None:
    """Nobody could sign in, and phones under two keys in one table would be for ever."""
    (tmp_path / "roster.xlsx").write_bytes(sheets.workbook(sheets.staff()))
    (tmp_path / "divisions.csv").write_bytes(sheets.divisions())
    command = ("import", "roster", "roster.xlsx", "--county", "421222")
    named = (*command, "--divisions", "divisions.csv")
    settings = {"DATABASE_URL": empty_database, "REDIS_URL": servers.redis}
    right, wrong = (settings | {"GRIDMERIT_DATA_DIR": name} for name in ("right", "wrong"))
    code, _, err = await say(tmp_path, *named, **right)
    assert code == 0, err
    code, out, _ = await say(tmp_path, "doctor", **wrong)
    assert (code, out.count("✗"), "✗ 密钥" in out) == (2, 1, True), out
    code, _, err = await say(tmp_path, *command, **wrong)
    assert code == 2
    assert "原来的密钥放回 wrong/secret" in err
    (tmp_path / "wrong" / "secret").write_bytes((tmp_path / "right" / "secret").read_bytes())
    code, out, _ = await say(tmp_path, "doctor", **wrong)
    assert (code, "✓ 密钥" in out) == (0, True), out


async def test_a_report_that_cannot_be_written_stops_the_import(
    servers: Servers, empty_database: str, tmp_path: Path
) -> None:
    """Before anything is written: an error after it would tell that nothing was."""
    (tmp_path / "roster.xlsx").write_bytes(sheets.workbook(sheets.staff()))
    (tmp_path / "divisions.csv").write_bytes(sheets.divisions())
    command = ("import", "roster", "roster.xlsx", "--county", "421222")
    options = ("--divisions", "divisions.csv", "--report", "nowhere/report.xlsx")
    settings = {"DATABASE_URL": empty_database, "REDIS_URL": servers.redis}
    code, out, err = await say(tmp_path, *command, *options, GRIDMERIT_DATA_DIR="d", **settings)
    assert (code, out) == (2, "")
    assert "不能写到文件夹 nowhere" in err
    assert not (tmp_path / "d").exists()
