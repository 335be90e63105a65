"""A real OpenSSH server for one folder, on this machine and an unprivileged port.

The tests and the practice bank's SFTP mailbox use it.  It serves SFTP and nothing else, and lets in
whoever has one of the given public keys.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

# systemd locks the account of nobody, and OpenSSH lets nobody into a locked one.
_UNPRIVILEGED = "daemon"
_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host_key
AuthorizedKeysFile {home}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
AllowTcpForwarding no
X11Forwarding no
PermitTTY no
LogLevel VERBOSE
{more}
"""
_SFTP = """\
Subsystem sftp internal-sftp -d {root}
ForceCommand internal-sftp -d {root}
"""


def find() -> Path | None:
    """Return the server's program: the system's, or the one that bin/setup keeps for itself."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    own = Path(cache).expanduser() / "account_bank_connect" / "openssh" / "usr/sbin/sshd"
    named = [os.environ.get("SSHD"), shutil.which("sshd"), "/usr/sbin/sshd", "/usr/bin/sshd", own]
    return next((Path(one) for one in named if one and Path(one).is_file()), None)


def make_key(kind: str = "ed25519") -> tuple[bytes, str]:
    """Make a key pair: private key in OpenSSH's form, public key as in a .pub file.

    Not by ssh-keygen: the client's package need not be on the machine.
    """
    if kind == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
    elif kind == "ecdsa":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = rsa.generate_private_key(65537, {"rsa": 3072}[kind])
    public = private.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ), public.decode() + "\n"


class Sshd:
    """An OpenSSH server that runs as the current user, or as daemon where that is root.

    :ivar root: the folder that a login lands in
    :ivar user: who logs in
    :ivar host_key: the host key, as in a .pub file
    """

    def __init__(
        self,
        keys: list[str],
        root: Path | None = None,
        *,
        host_key: str = "ed25519",
        port: int = 0,
        more: str = "",
        largest_file: int | None = None,
        serves: bool = True,
    ) -> None:
        """
        :param keys: public keys that may log in, as in authorized_keys
        :param root: an existing folder; else one of its own
        :param host_key: kind of the host key, see :func:`make_key`
        :param more: further lines for sshd_config
        :param largest_file: bytes after which writing fails, as on a full disk
        :param serves: whether there is SFTP at all
        """
        program = find()
        if program is None:
            raise FileNotFoundError("There is no OpenSSH server (sshd); bin/setup brings one.")
        self.home = Path(tempfile.mkdtemp(prefix="sshd-"))
        self.root = root or self.home / "root"
        self.root.mkdir(exist_ok=True)
        # Where sshd runs as root it wants a user and a folder of its own, which an unpacked one
        # does not have; as a plain user it wants neither, and reaches no more than it has to.
        self.account = (
            pwd.getpwnam(_UNPRIVILEGED) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        )
        self.user = self.account.pw_name
        self.more, self.largest_file = more, largest_file
        self.more += "\n" + _SFTP.format(root=self.root) if serves else "\nForceCommand /bin/false"
        self.process: subprocess.Popen | None = None
        self._program(program)
        self._keys(keys, host_key)
        self.port = port or _free_port()

    def _program(self, program: Path) -> None:
        # Copied, so that any user can run it, wherever it was kept.
        self.program = Path(shutil.copy2(program, self.home / "sshd"))
        libraries = self.home / "lib"
        libraries.mkdir()
        for one in program.parents[2].glob("usr/lib/*/libwrap.so.*"):
            shutil.copy2(one, libraries / one.name)
        self.environment = {"PATH": os.environ.get("PATH", ""), "LD_LIBRARY_PATH": str(libraries)}

    def _keys(self, keys: list[str], kind: str) -> None:
        private, self.host_key = make_key(kind)
        host_key = self.home / "host_key"
        host_key.touch(0o600)
        host_key.write_bytes(private)
        (self.home / "authorized_keys").write_text("".join(f"{key.strip()}\n" for key in keys))

    def start(self) -> Sshd:
        text = _CONFIG.format(port=self.port, home=self.home, more=self.more)
        (self.home / "sshd_config").write_text(text)
        self._give_away()
        command = [str(self.program), "-D", "-e", "-f", str(self.home / "sshd_config")]
        other = os.getuid() != self.account.pw_uid
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                user=self.account.pw_uid if other else None,
                group=self.account.pw_gid if other else None,
                extra_groups=[] if other else None,
                preexec_fn=self._limit if self.largest_file else None,
            )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"The OpenSSH server did not start: {self.log()[-2000:]}")

    def _limit(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest_file, self.largest_file))

    def _give_away(self) -> None:
        if os.getuid() == 0:
            for path in [self.home, *self.home.rglob("*"), self.root, *self.root.rglob("*")]:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)

    @property
    def url(self) -> str:
        return f"sftp://127.0.0.1:{self.port}"

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def sessions(self) -> list[int]:
        """Return the process ids of the connections being served, the youngest first."""
        found, waiting = [], [self.process.pid] if self.process else []
        while waiting:
            number = waiting.pop()
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{number}/task/{number}/children").read_text()
                children = [int(word) for word in text.split()]
                found, waiting = [*children, *found], [*waiting, *children]
        return found

    def cut(self) -> None:
        """End all connections, as a crash of the server would."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Let all connections fall silent."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def stop(self) -> None:
        if self.process is not None:
            self.cut()
            self.process.kill()
            self.process.wait()
            self.process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Sshd:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
