"""Where the embedded engines live and whose account runs them.

Run by an ordinary account, everything is below ``<data_dir>/engine``. PostgreSQL refuses to be run
by root, and a service account cannot reach anything below a private folder such as root's home:
run by root, the engines belong to the system account ``gridmerit``, their programs are copied to
``/var/lib/gridmerit/engine/<version>/``, their home is ``/var/lib/gridmerit/<hash>/`` and
``<data_dir>/engine`` points there. The mode of a folder we did not make is never changed.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

STATE = Path("/var/lib/gridmerit")
ACCOUNT = "gridmerit"
SOCKET_LIMIT = 107
"""Bytes of a unix socket's path on Linux."""
LONGEST_SOCKET = "/.s.PGSQL.5432.lock"


class EngineError(Exception):
    """The embedded engines cannot be used; the message says why and what to do."""


class Home(msgspec.Struct, frozen=True):
    """A folder with clusters, logs and locks, and the account that runs what is in it."""

    path: Path
    sockets: Path
    owner: pwd.struct_passwd

    def run(self, *command: str | Path, log: Path, text: str = "") -> int:
        """Run a command as the owner; its output goes to a file, which a daemon may keep open."""
        as_root = os.geteuid() == 0
        with log.open("ab") as output:
            self.give(log)
            return subprocess.run(
                [str(part) for part in command],
                input=text.encode(),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.path,
                check=False,
                umask=0o077,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.path), "LC_ALL": "C.UTF-8"},
                user=self.owner.pw_uid if as_root else None,
                group=self.owner.pw_gid if as_root else None,
                extra_groups=[] if as_root else None,
            ).returncode

    def folder(self, name: str) -> Path:
        """A private folder of the owner below the home."""
        return _private(self.path / name, self.owner)

    def give(self, path: Path) -> None:
        """Hand a file that this process wrote to the owner."""
        if os.geteuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)


def find(data_dir: Path) -> Home:
    """The home of a data directory, made at first use.

    Raises EngineError if it belongs to another account.
    """
    data_dir = data_dir.absolute()
    if not data_dir.exists():
        data_dir.mkdir(parents=True, mode=0o700)
    pointer = data_dir / "engine"
    with locked(data_dir):
        if not pointer.exists():
            if os.geteuid() == 0:
                _make_system_home(data_dir, pointer)
            else:
                pointer.mkdir(mode=0o700)
    path = pointer.resolve()
    owner = pwd.getpwuid(path.stat().st_uid)
    if os.geteuid() not in {0, owner.pw_uid}:
        raise EngineError(f"{path} 属于账号 {owner.pw_name}：请用该账号或 root 运行。")
    return Home(path, _socket_folder(path, owner), owner)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time: an exclusive lock on the folder itself."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reachable_copy(name: str, sources: list[Path]) -> Path:
    """Where the engines' owner can run programs: as root, copies made once per version.

    ``name`` carries the version; the sources' common parent is kept, because the programs find
    their libraries by a relative path. Returns the folder that holds the sources (or copies).
    """
    if os.geteuid():
        return sources[0].parent
    target = _public(STATE) / "engine" / name
    with locked(_public(STATE / "engine")):
        if not target.exists():
            unfinished = target.with_suffix(".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            _public(unfinished)
            for source in sources:
                if source.is_dir():
                    shutil.copytree(source, unfinished / source.name, symlinks=True)
                else:
                    shutil.copy2(source, unfinished / source.name)
            unfinished.rename(target)
    return target


def servers_in(folder: Path, command: str) -> list[int]:
    """Processes of a program whose data folder this is; servers change into it as they start."""
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in found if runs_in(pid, folder) and _command(pid) == command]


def runs_in(pid: int, folder: Path) -> bool:
    """Whether a process lives and works in a folder; false for a zombie and a reused id."""
    try:
        return pid > 0 and Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False


def hidden(pid: int) -> bool:
    """Whether a process of this account lives where it cannot be looked at.

    systemd's ``PrivateUsers`` gives a service, and the engines it started, a user namespace: a
    command of the same account outside may not read what folder they work in, and the service
    (``ProtectProc``) does not even see a process outside.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    try:
        Path(f"/proc/{pid}/cwd").readlink()
    except PermissionError:
        return True
    except OSError:
        return not Path(f"/proc/{pid}").exists()
    return False


def listens(path: Path) -> bool:
    """Whether somebody takes connections at a unix socket."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
    except BlockingIOError:  # more wait there than its queue holds
        return True
    except OSError:
        return False
    return True


def read_pid(path: Path) -> int:
    """The process id in the first line of a pid file, 0 without one."""
    try:
        return int(path.read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def send_signal(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now. No pid (0) is nobody, not our process group."""
    if pid > 0:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _make_system_home(data_dir: Path, pointer: Path) -> None:
    owner = _system_account()
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()
    target = _public(STATE) / digest[:12]
    if not pointer.is_symlink():
        if target.exists():
            # The data directory was deleted by hand and made anew: its old cluster is unreadable
            # without the secret that went with it, yet not ours to throw away.
            target.rename(target.with_suffix(f".{time.time_ns()}"))
        pointer.symlink_to(target)
    _private(target, owner)


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir", str(STATE), "--shell", "/usr/sbin/nologin", ACCOUNT]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise EngineError(
                f"无法建立系统账号 {ACCOUNT}（{error}）：请先建立，或用普通账号运行。"
            ) from error
        return pwd.getpwnam(ACCOUNT)


def _socket_folder(path: Path, owner: pwd.struct_passwd) -> Path:
    """``<home>/run``, or a short private folder where that path is too long for a socket."""
    folder = path / "run"
    if len(os.fsencode(folder)) + len(LONGEST_SOCKET) > SOCKET_LIMIT:
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
        folder = Path("/tmp") / f"gridmerit-{owner.pw_uid}-{digest}"  # noqa: S108  checked below
    _private(folder, owner)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != owner.pw_uid or found.st_mode & 0o077:
        raise EngineError(f"{folder} 不是只有账号 {owner.pw_name} 能进的目录：请删除后再试。")
    return folder


def _private(folder: Path, owner: pwd.struct_passwd) -> Path:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return folder
    if os.geteuid() == 0:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def _public(folder: Path) -> Path:
    try:
        folder.mkdir()
    except FileExistsError:
        return folder
    folder.chmod(0o755)
    return folder
