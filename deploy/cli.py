"""The ``gridmerit`` command.

A command's module is imported when the command is called, so that ``gridmerit --help`` is quick
and a command pays only for what it needs. Whatever goes wrong ends in one sentence and exit code
2; only a defect of ours writes its traceback, to a file or, unless somebody looks on, to the log.
"""

import errno
import importlib
import importlib.util
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import asyncpg
import click

from deploy import chinese
from deploy.commands.target import account
from deploy.engine_home import ACCOUNT, EngineError
from deploy.lasting import lasting
from deploy.migrate import MigrationError
from shared.clock import now
from shared.database import AWAY
from shared.errors import GridmeritError, Invalid
from shared.settings import SettingsError

FAILED = 2
CUT_OFF = "已中断；再运行一次，做过的不会重复。"
FULL = "磁盘满了（{}）：请清理出空间，再运行一次。"
DENIED = "现在的账号是 {}，请换有权限的账号：装好的系统用 root 运行 gridmerit。"
NOT_GIVEN = "root 的 gridmerit 命令用的是账号 {0}：请把文件交给它（chown {0}: 文件名）。"
OF_DATABASE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (
        (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError),
        "数据库拒绝连接：{}。请检查 DATABASE_URL。",
    ),
    (asyncpg.DiskFullError, FULL),
    (
        (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError),
        "数据库还不是本版本的（{}）：请先用所有者的地址运行 gridmerit migrate。",
    ),
    (
        asyncpg.ReadOnlySQLTransactionError,
        "数据库是只读的（{}）：请把 DATABASE_URL 改成主库的地址。",
    ),
    (
        (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError),
        "数据库正忙（{}）：请过几分钟再运行一次。",
    ),
    (OSError, "连接不上数据库或缓存：{}。请检查 DATABASE_URL、REDIS_URL。"),
    (AWAY, "数据库中途断开（{}）：请确认它在运行，再运行一次，做过的不会重复。"),
)
"""What the database raised, and the sentence about it; the first that fits."""

COMMANDS = {
    "serve": "deploy.commands.serve:serve",
    "scheduler": "deploy.commands.serve:scheduler",
    "migrate": "deploy.commands.database:migrate",
    "doctor": "deploy.commands.doctor:doctor",
    "backup": "deploy.commands.backup:backup",
    "rotate-secret": "deploy.commands.secret:rotate_secret",
    "create-admin": "deploy.commands.identity:create_admin",
    "import": "deploy.cli:import_",
    "work": "deploy.cli:work",
    "redeem": "deploy.commands.redemption:redeem",
    "statement": "deploy.cli:statement",
    "survey": "deploy.cli:survey",
    "verify": "deploy.commands.ledger:verify",
    "check-receipt": "deploy.commands.receipt:check_receipt",
    "export": "deploy.commands.settlement:export",
}
IMPORTS = {
    "roster": "deploy.commands.roster:import_roster",
    "shops": "deploy.commands.mall:import_shops",
    "products": "deploy.commands.mall:import_products",
    "funds": "deploy.commands.settlement:import_funds",
    "work": "deploy.commands.work:import_work",
    "households": "deploy.commands.survey:import_households",
    "balances": "deploy.commands.ledger:import_balances",
}
WORK = {
    "verify": "deploy.commands.work:verify",
    "post": "deploy.commands.work:post",
}
STATEMENT = {
    "build": "deploy.commands.settlement:build",
    "sign": "deploy.commands.settlement:sign",
}
SURVEY = {
    "redraw": "deploy.commands.survey:redraw",
}


class LazyGroup(click.Group):
    """Commands by name and ``module:attribute``, imported when called."""

    def __init__(self, targets: Mapping[str, str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # click's own options
        self.targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return [name for name, target in self.targets.items() if _exists(target)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = self.targets[cmd_name].partition(":")
        with lasting():
            command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


def _exists(target: str) -> bool:
    return importlib.util.find_spec(target.partition(":")[0]) is not None


chinese.speak()
cli = LazyGroup(COMMANDS, name="gridmerit", help="网格员积分与考核系统。")
click.version_option(package_name="gridmerit")(cli)
import_ = LazyGroup(IMPORTS, name="import", help="导入办公文件（.xlsx .xls .csv）。")
work = LazyGroup(WORK, name="work", help="核实工作记录、月度入账。")
statement = LazyGroup(STATEMENT, name="statement", help="积分超市对账单。")
survey = LazyGroup(SURVEY, name="survey", help="群众测评的公开抽样。")


def main() -> NoReturn:
    """Run the command line; the exit code is 0, or 2 with one sentence on the error stream."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = cli.main(prog_name="gridmerit", standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = FAILED
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"\ngridmerit：{CUT_OFF}", err=True)
        code = 130
    except Exception as error:  # noqa: BLE001  the last line of defence
        click.echo(f"gridmerit：{sentence(error)}", err=True)
        code = FAILED
    sys.exit(code if isinstance(code, int) else 0)


def sentence(error: Exception) -> str:
    """What a person can use of an error."""
    match error:
        case Invalid(fields=fields):
            # A form shows some sentences at the field again; here once is enough.
            more = [f"{name}：{text}" for name, text in fields.items() if text not in error.message]
            return " ".join([error.message, "；".join(more)]).strip()
        case GridmeritError() | EngineError() | MigrationError() | SettingsError():
            return str(error)
        case OSError(errno=errno.ENOSPC):
            return FULL.format(error.filename or error)
        case OSError(filename=str(name)):
            said = NOT_GIVEN if account() == ACCOUNT else DENIED
            who = said.format(account()) if isinstance(error, PermissionError) else ""
            return f"不能使用文件 {name}：{error.strerror}。{who}"
    for kinds, words in OF_DATABASE:
        if isinstance(error, kinds):
            return words.format(error)
    return f"程序内部错误（{type(error).__name__}），详情{_keep(error)}。"


def _keep(error: Exception) -> str:
    """Where the traceback is: with a service's log, whose own /tmp goes when it ends; else a file.

    That one is where the person stands, or with temporary files. Nobody else reads it: a path or a
    value in it may be somebody's.
    """
    from shared.web.logging import clean  # noqa: PLC0415  only a defect needs it

    text = clean("".join(traceback.format_exception(error)))
    if not sys.stderr.isatty():
        click.echo(text, err=True)
        return "见上"
    name = f"gridmerit-error-{now():%Y%m%d-%H%M%S}.log"
    for path in (Path(name), Path(tempfile.gettempdir(), name)):
        with suppress(OSError):
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(text, encoding="utf-8")
            return f"已写入 {path}"
    return f"没有地方可写（{error}）"


def _terminated(_signal: int, _frame: object) -> NoReturn:
    """A terminated command lets go of the engines like any other."""
    sys.exit(143)
