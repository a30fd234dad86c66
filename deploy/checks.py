"""What must hold before anything is written, and what an administrator should hear about.

On a fault ``gridmerit serve`` only shows and does not write (``deploy.watch``), and the jobs wait;
``gridmerit doctor`` prints everything.
"""

import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import msgspec
from cryptography.exceptions import InvalidTag
from redis.exceptions import RedisError

from deploy.engine_home import EngineError, find
from deploy.engine_postgres import Postgres, find_programs
from deploy.migrate import OWNER, ROOT, known_migrations
from points.ledger.storage import service as storage
from points.ledger.verifier import service as verifier
from shared.calendar import service as calendar
from shared.clock import LOCAL_ZONE, now, today
from shared.database import DB
from shared.roster import phones
from shared.scheduling import queries as scheduling
from shared.scheduling import runner
from shared.scheduling.queries import counties
from shared.settings import Settings
from shared.valkey import client
from shared.web.assets import DIST

OLDEST_POSTGRESQL = 15
LARGEST_SKEW = timedelta(seconds=1)
LARGEST_LAG = timedelta(minutes=5)
"""Behind what is recorded: what a clock that ran ahead is put back by without any harm."""
LEAST_DISK = 1 << 30
"""Bytes that must be free in the data directory."""
WANTED = {
    "fsync": "on",
    "full_page_writes": "on",
    "default_transaction_isolation": "read committed",
    "server_encoding": "UTF8",
}
"""Settings of the server without which a confirmed redemption may be lost or miscounted."""
ASKED = (
    *WANTED,
    *("synchronous_commit", "synchronous_standby_names", "data_checksums", "log_error_verbosity"),
)
LOGS_ROWS = (
    "它的日志会记下被拒绝的整行（姓名、住址）：请由数据库管理员运行"
    " ALTER DATABASE 库名 SET log_error_verbosity = 'terse'"
)
SAFE_COMMITS = {"on", "remote_apply", "remote_write"}
"""``local`` is safe too where no standby is waited for."""
LEDGER = (
    *("account", "transfer", "hold", "lot", "batch", "redemption", "redemption_line", "posting"),
    *("stock", "stock_move", "fund", "resolution", "awaiting", "closing", "closing_balance"),
)
"""Tables of points that only its functions write."""
TOO_MUCH = """
SELECT c.oid::regclass || ' ' || p.privilege
FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege)
WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, p.privilege) AND (
    (c.relnamespace = to_regnamespace('points') AND c.relname = ANY ($1))
    OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid
               AND i.inhparent = to_regclass('points.transfer'))
    OR (p.privilege <> 'INSERT' AND c.oid IN (to_regclass('shared.audit_event'),
                                              to_regclass('points.day_root'))))
ORDER BY 1
"""
# What is no longer than nonce and tag holds no number and says nothing of its key.
SEALED = """
SELECT phone_cipher FROM shared.person
WHERE county_id = $1 AND octet_length(phone_cipher) > 28 ORDER BY id LIMIT 1
"""
# The newest event later than a moment, unless somebody has said by then that it is the wrong one.
AHEAD = """
SELECT e.at FROM shared.audit_event e
WHERE e.county_id = $1 AND e.at > $2 AND NOT EXISTS (
    SELECT FROM shared.unit u
    JOIN shared.audit_event c ON c.county_id = $1 AND c.object_id = u.id
    WHERE u.county_id = $1 AND u.kind = 'county' AND c.action = 'clock.confirm'
      AND c.at <= $2 AND (c.after ->> 'until')::timestamptz >= e.at)
ORDER BY e.at DESC LIMIT 1
"""
LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}


class Level(StrEnum):
    """How bad it is: a fault stops the service, a warning does not."""

    OK = "✓"
    WARNING = "!"
    FAULT = "✗"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, and a sentence: what is, what to do."""

    name: str
    sentence: str
    level: Level = Level.OK
    blind: bool = False
    """Even what is read would be wrong, and no later check can be asked."""


Check = Callable[[Settings], Awaitable[Finding]]


async def everything(settings: Settings) -> list[Finding]:
    """All checks in order, on the configured database."""
    return await ask(settings, CHECKS)


async def faults(settings: Settings, wanted: Sequence[Check]) -> list[Finding]:
    """Only what forbids writing."""
    return [finding for finding in await ask(settings, wanted) if finding.level is Level.FAULT]


async def ask(settings: Settings, wanted: Sequence[Check]) -> list[Finding]:
    """These checks, as far as the first that leaves nothing to ask."""
    found: list[Finding] = []
    for check in wanted:
        found.append(await check(settings))
        if found[-1].blind:
            break
    return found


async def server(_: Settings) -> Finding:
    """The version, and the settings that keep promises."""
    major = int(await DB.fetchval("SELECT current_setting('server_version_num')")) // 10000
    if major < OLDEST_POSTGRESQL:
        return fault("数据库", f"PostgreSQL {major} 太旧，至少要 {OLDEST_POSTGRESQL}。")
    rows = await DB.fetch("SELECT name, current_setting(name) FROM unnest($1::text[]) name", ASKED)
    found: dict[str, str] = dict(rows)
    wrong = [
        f"{name} 是 {found[name]}，应为 {wanted}"
        for name, wanted in WANTED.items()
        if found[name] != wanted
    ]
    commit, alone = found["synchronous_commit"], not found["synchronous_standby_names"]
    if commit not in SAFE_COMMITS and not (commit == "local" and alone):
        wrong.append(f"synchronous_commit 是 {commit}，应为 on")
    if wrong:
        return fault("数据库", "；".join(wrong) + "：请改好数据库设置。")
    hints = []
    if found["data_checksums"] != "on":
        hints.append("没有数据页校验，坏盘可能不被发现：可停库运行 pg_checksums -e")
    if found["log_error_verbosity"] != "terse":
        hints.append(LOGS_ROWS)
    if hints:
        return warning("数据库", "；".join((f"PostgreSQL {major}", *hints)) + "。")
    return Finding("数据库", f"PostgreSQL {major}，写入不会丢。")


async def migrations(_: Settings) -> Finding:
    """The schema is this release's: nothing older, nothing newer, on which it does not start."""
    if not await DB.fetchval("SELECT to_regclass('public.migration') IS NOT NULL"):
        return Finding("迁移", "数据库是空的：请运行 gridmerit migrate。", Level.FAULT, blind=True)
    rows = await DB.fetch("SELECT app_name, name FROM public.migration")
    done = {(row["app_name"], row["name"]) for row in rows}
    known = known_migrations()
    if missing := known - done:
        sentence = f"数据库缺少 {len(missing)} 个迁移：请运行 gridmerit migrate。"
        return Finding("迁移", sentence, Level.FAULT, blind=True)
    if extra := done - known:
        return fault(
            "迁移",
            f"数据库由更新的版本升级过（有 {len(extra)} 个本版本没有的迁移）："
            "请安装新版本的程序，再重新启动服务。",
        )
    return Finding("迁移", "数据库是本版本。")


async def rights(_: Settings) -> Finding:
    """The service's login role cannot change what has been written."""
    too_much = [row[0] for row in await DB.fetch(TOO_MUCH, LEDGER)]
    if too_much:
        return fault(
            "权限",
            f"服务账号能直接写台账（{too_much[0]} 等）：请用服务自己的账号，"
            "并由管理员运行 gridmerit migrate 收回权限。",
        )
    return Finding("权限", "服务账号不能修改、删除台账和审计。")


async def chain(_: Settings) -> Finding:
    """The newest blocks of every county's ledger give their hashes."""
    if not await DB.fetchval("SELECT has_table_privilege('points.batch', 'SELECT')"):
        return Finding("台账", "本服务不读写台账。")
    for county_id in await verifier.counties():
        if broken := await verifier.verify_head(county_id):
            return fault(
                "台账", f"{county_id}：{broken.detail}。请停止使用，运行 gridmerit verify 查明。"
            )
    return Finding("台账", "最近批次的哈希链完整。")


async def secret(settings: Settings) -> Finding:
    """The secret is the one that this database was filled under: a restore may lack it."""
    for county_id in await counties():
        sealed = await DB.fetchval(SEALED, county_id)
        try:
            if sealed is not None:
                phones.open_(sealed)
        except InvalidTag:
            return fault(
                "密钥",
                "本机的密钥解不开库里的手机号，没有人能登录：请把原来的密钥放回"
                f" {settings.data_dir / 'secret'}（或 GRIDMERIT_SECRET_KEY），再重新启动。",
            )
    return Finding("密钥", "能解开库里的手机号；它要与数据库分开备份。")


async def require_secret(settings: Settings) -> None:
    """Before phones are written: two keys in one table would be for ever. Raises EngineError."""
    found = await secret(settings)
    if found.level is Level.FAULT:
        raise EngineError(found.sentence)


async def partitions(_: Settings) -> Finding:
    """Next month's transfers have their partition, and none had to do without."""
    if not await DB.fetchval("SELECT has_table_privilege('points.batch', 'SELECT')"):
        return Finding("分区", "本服务不读写台账。")
    found = await storage.storage()
    if found.strays:
        return warning(
            "分区", f"有 {found.strays} 笔转账放在后备分区：请核对时钟，运行 gridmerit migrate。"
        )
    if not found.ready(now()):
        until = f"{today(found.until):%Y-%m-%d}"
        return warning("分区", f"台账分区只到 {until}：请运行 gridmerit migrate。")
    return Finding("分区", f"台账分区备到 {today(found.until):%Y-%m-%d}。")


async def clocks(_: Settings) -> Finding:
    """This machine and the database agree on the time, and both know China's.

    Both on one machine are wrong together: then what was recorded before is in the future.
    """
    before = now()
    theirs = await DB.fetchval("SELECT clock_timestamp()")
    ours = before + (now() - before) / 2
    if abs(ours - theirs) > LARGEST_SKEW:
        seconds = abs(ours - theirs).total_seconds()
        return fault("时钟", f"本机与数据库相差 {seconds:.1f} 秒：请校准两边的时间。")
    try:
        ZoneInfo("Asia/Shanghai")
        await DB.fetchval("SELECT now() AT TIME ZONE 'Asia/Shanghai'")
    except (ZoneInfoNotFoundError, asyncpg.PostgresError):
        return fault("时钟", "缺少 Asia/Shanghai 时区数据：请安装 tzdata。")
    for county_id in await counties():
        if latest := await recorded_ahead(county_id):
            return fault(
                "时钟",
                f"本机时间 {_local(ours)} 早于已有的记录（{_local(latest)}）：请校准本机的时间。"
                "时间没有错、是那些记录写早了的，请运行 gridmerit doctor --clock-is-right。",
            )
    return Finding("时钟", "本机与数据库一致。")


async def recorded_ahead(county_id: int) -> datetime | None:
    """The time of the newest event, if by this machine's clock it is still to come."""
    found: datetime | None = await DB.fetchval(AHEAD, county_id, now() + LARGEST_LAG)
    return found


def _local(at: datetime) -> str:
    return f"{at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


async def disk(settings: Settings) -> Finding:
    """There is room to write, also where the engines lie: root's are apart from the data."""
    folder = settings.data_dir if settings.data_dir.exists() else ROOT
    engine = folder / "engine"
    folders = [engine.resolve(), folder] if engine.exists() else [folder]
    disks = {one.stat().st_dev: one for one in folders}
    free, folder = min((shutil.disk_usage(one).free, one) for one in disks.values())
    if free < LEAST_DISK:
        return fault("磁盘", f"{folder} 只剩 {free >> 20} MB：请清理。")
    return Finding("磁盘", f"{folder.absolute()} 可用 {free >> 30} GB。")


async def programs(settings: Settings) -> Finding:
    """Where pg_dump and pg_restore of the running version are."""
    if server := own_server(settings):
        return Finding("程序", f"PostgreSQL 的工具在 {server.programs}。")
    return Finding("程序", "数据库在外部，备份请用它自己的工具。")


def own_server(settings: Settings) -> Postgres | None:
    """The embedded server, where that is what these settings of a running process lead to."""
    # Beside an outside database stand Valkey's folder, or the cluster of before.
    if (settings.data_dir / "engine").exists():
        engine = Postgres(find(settings.data_dir), find_programs(settings.pg_bin))
        if settings.database_url == engine.url(OWNER):
            return engine
    return None


async def cache(settings: Settings) -> Finding:
    """Valkey or Redis answers; without it everything works, but slower."""
    redis = client(settings)
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        return warning("缓存", f"连接不上（{error}）：功能不受影响，会慢一些。")
    finally:
        await redis.aclose()
    return Finding("缓存", "可用。")


async def pages(settings: Settings) -> Finding:
    """The built assets are there, and the address in QR codes is one that phones can use."""
    if not (DIST / "manifest.json").exists():
        return warning("页面", "样式和脚本没有构建：请用 pip install 安装，或运行 make。")
    address = urlsplit(settings.public_url)
    if address.scheme != "https" and address.hostname not in LOCAL_NAMES:
        return warning("页面", f"GRIDMERIT_PUBLIC_URL={settings.public_url} 不是 https。")
    if address.hostname in LOCAL_NAMES:
        return warning("页面", "GRIDMERIT_PUBLIC_URL 是本机地址：手机扫不开二维码。")
    return Finding("页面", settings.public_url)


async def holidays(_: Settings) -> Finding:
    """Deadlines can be counted: this year's working days are known everywhere."""
    for county_id in await counties():
        if years := await calendar.missing(county_id, today()):
            text = "、".join(str(year) for year in years)
            return warning("日历", f"{county_id} 缺 {text} 年的节假日：请在设置里补上。")
    return Finding("日历", "节假日齐全。")


async def jobs(_: Settings) -> Finding:
    """Somebody runs the jobs: postings, seals and terms wait for them, and nothing fails."""
    for county_id in await counties():
        last = await scheduling.last(county_id)
        if last is None or await runner.idle_since(county_id, now()):
            since = f"从 {_local(last)} 起没有运行" if last else "还没有运行过（刚启动的等几分钟）"
            return warning(
                "任务",
                f"{county_id} 的定时任务{since}：请确认服务在运行，"
                "GRIDMERIT_SCHEDULER 没有设成 off；两个服务分开的，还要启动 gridmerit-scheduler。",
            )
    return Finding("任务", "定时任务没有停。")


CHEAP: tuple[Check, ...] = (server, clocks, disk, migrations, rights)
"""What a serving process asks every minute."""
FORBIDDING: tuple[Check, ...] = (*CHEAP, secret, chain)
"""Those that know faults; a serving process asks them before its first request."""
CHECKS: tuple[Check, ...] = (*FORBIDDING, partitions, jobs, programs, cache, pages, holidays)


def fault(name: str, sentence: str) -> Finding:
    """A finding that forbids writing."""
    return Finding(name, sentence, Level.FAULT)


def warning(name: str, sentence: str) -> Finding:
    """A finding that somebody should look at."""
    return Finding(name, sentence, Level.WARNING)
