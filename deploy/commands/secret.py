"""``gridmerit rotate-secret``: another secret for an installation whose own may be known."""

import os
import secrets
from pathlib import Path

import click

from deploy.rotation import rotate
from deploy.runtime import run
from shared.clock import now
from shared.settings import Settings, load

DONE = """
已换成新密钥。请告诉有关的人：
· 手机密码、电脑端密码、动态码、兑换卡和终端都照旧能用；打开着的页面要刷新一次。
· 电脑端的备用码全部作废，没用过的首次登录码也是，需要的请管理员重设。
· 还没用的激活条，8 位数字作废，扫码仍可用。
旧密钥只能打开今天以前的备份，请与那些备份一起锁好。
"""
BY_HAND = """
新密钥在 {path} 里。启动服务之前，请把它写进原来设置密钥的地方
（GRIDMERIT_SECRET_KEY 或 /etc/gridmerit/secret-key，每台机器都要换），再删掉这个文件。"""


@click.command("rotate-secret")
def rotate_secret() -> None:
    """换系统密钥：停止服务之后，把加密的数据全部用新密钥重新加密。"""
    by_hand = bool(load().secret_key)

    async def work(settings: Settings) -> Path:
        path = settings.data_dir / "secret.next"
        new = kept(path)
        if new == settings.secret_key:  # left behind by the exchange before this one
            path.unlink()
            new = kept(path)
        await rotate(settings.secret_key, new)
        if not by_hand:
            current = settings.data_dir / "secret"
            os.link(current, settings.data_dir / f"secret.until-{now():%Y%m%d-%H%M%S}")
            path.replace(current)
        return path

    path = run(work)
    click.echo(DONE)
    if by_hand:
        click.echo(BY_HAND.format(path=path))


def kept(path: Path) -> str:
    """The new secret, on disk before anything is sealed with it; a call cut off goes on with it."""
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        with unfinished.open("w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    return path.read_text(encoding="ascii").strip()
