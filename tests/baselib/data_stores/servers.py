"""Real servers from Debian's packages on ports of loopback, and what stands between them and a client.

OpenSearch cannot be had here: `OpenSearchStub` speaks the little of its protocol that is needed, and is no OpenSearch.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.baselib.processes import PATIENCE_SECONDS, alive, descendants, free_port, until

USER, PASSWORD = "app", "hunter2-secret"
_POSTGRES = Path("/usr/lib/postgresql/15/bin")


def program(name: str, package: str) -> str:
    """The path of a server's program; the test is skipped where it is not installed and cannot be."""
    found = shutil.which(name, path=f"{_POSTGRES}:{os.environ['PATH']}")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", package], capture_output=True, timeout=300, check=False)
        found = shutil.which(name, path=f"{_POSTGRES}:{os.environ['PATH']}")
    return found or pytest.skip(f"{name} is not here: Debian's package {package} has it")


class Server:
    """A server that is a process of ours."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        # It ends with the tests, also when those are killed.
        prefix = [program("setpriv", "util-linux"), "--pdeathsig=KILL", "--"]
        self._command, self.port, self._log = [*prefix, *command], port, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until somebody listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(self._listens, "the server listens")

    def kill(self) -> None:
        """End it without a word to its clients."""
        if self._process is not None:
            children = self._signal(signal.SIGKILL)
            self._process.wait(PATIENCE_SECONDS)
            # They hold the memory that a new one wants.
            until(lambda: not any(alive(child) for child in children), "its children end")
            self._process = None

    def close(self) -> None:
        """End it, and remove what it wrote."""
        self.kill()

    def pause(self) -> None:
        """Let it answer nothing while its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> set[int]:
        assert self._process is not None
        # Each of postgres's children is a group of its own.
        children = descendants(self._process.pid)
        for process in (self._process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        return children

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        assert self._process is not None
        assert alive(self._process.pid), self._log.read_text()
        return False


class Postgres(Server):
    """A postgres with one user.

    Args:
        tls: Whether it has a certificate, and takes no connection without.
    """

    def __init__(self, *, tls: bool = False) -> None:
        owner, prefix = _unprivileged()
        # Not where pytest has its folders: it closes those to other users whenever it starts.
        self._folder = folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        port = free_port()
        self._data = folder / "data"
        word = folder / "password"
        word.write_text(PASSWORD)
        _give((folder, word), owner)
        initdb = [
            program("initdb", "postgresql"),
            f"--pgdata={self._data}",
            f"--username={USER}",
            f"--pwfile={word}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        subprocess.run([*prefix, *initdb], check=True, capture_output=True, timeout=120, cwd="/")
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 40,
            "ssl": "on" if tls else "off",
        }
        if tls:
            _certify(self._data, owner)
            (self._data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 password\n")
        command = [program("postgres", "postgresql"), "-D", str(self._data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        super().__init__([*prefix, *command], port, folder / "log")

    @property
    def url(self) -> str:
        """Its address, with user and password."""
        return url(self.port)

    def close(self) -> None:
        """End it, and remove what it wrote."""
        super().close()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start, and wait until it takes a connection."""
        # What a killed server leaves behind may name a process that somebody else is now.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        super().start()
        until(lambda: self.execute("SELECT 1"), "postgres answers")

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own; nothing while it does not take one."""
        import psycopg  # noqa: PLC0415

        try:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=5)
        except psycopg.OperationalError:
            return []
        with connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def set_read_only(self, *, on: bool) -> None:
        """Accept no writes, on connections that are open neither, as a writer of Aurora that was demoted."""
        self.execute(f"ALTER SYSTEM SET default_transaction_read_only = {on}")
        self.execute("SELECT pg_reload_conf()")
        until(
            lambda: self.execute("SHOW default_transaction_read_only") == [("on" if on else "off",)],
            "the setting is read",
        )


def url(port: int) -> str:
    """The address of a postgres that listens on a port."""
    return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres"


def _unprivileged() -> tuple[pwd.struct_passwd | None, list[str]]:
    """Postgres refuses to run as root: somebody else, and what starts a program as them."""
    if os.geteuid() != 0:
        return None, []
    owner = pwd.getpwnam("nobody")
    ids = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    # Unlike su and runuser it becomes the program, so that a signal reaches it.
    # Said again: it is forgotten when the user changes.
    return owner, [program("setpriv", "util-linux"), "--pdeathsig=KILL", *ids, "--"]


def _give(paths: Sequence[Path], owner: pwd.struct_passwd | None) -> None:
    if owner is not None:
        for path in paths:
            os.chown(path, owner.pw_uid, owner.pw_gid)


def _certify(folder: Path, owner: pwd.struct_passwd | None) -> None:
    key, certificate = folder / "server.key", folder / "server.crt"
    make_certificate(certificate, key)
    key.chmod(0o600)
    _give((folder, key, certificate), owner)


def make_certificate(certificate: Path, key: Path) -> None:
    """A certificate of its own for loopback."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True, timeout=60)


class Redis(Server):
    """A redis that keeps nothing.

    Args:
        folder: Where its log goes.
        certificate: With TLS where given: the certificate and its key.
    """

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        options: dict[str, object] = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        if certificate:
            options |= {"port": 0, "tls-port": port, "tls-auth-clients": "no"}
            options |= {"tls-cert-file": certificate[0], "tls-key-file": certificate[1]}
        command = [program("redis-server", "redis-server")]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        super().__init__(command, port, folder / "log")

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"


class Memcached(Server):
    """A memcached.

    Args:
        folder: Where its log goes.
        certificate: With TLS where given: the certificate and its key.
    """

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        command = [program("memcached", "memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-u", "nobody"]
        if certificate:
            command += ["-Z", "-o", f"ssl_chain_cert={certificate[0]},ssl_key={certificate[1]}"]
        super().__init__(command, port, folder / "log")

    @property
    def url(self) -> str:
        """Its address."""
        return f"memcached://127.0.0.1:{self.port}"


@contextlib.contextmanager
def running(*servers: Server) -> Iterator[None]:
    """Servers that are started, and killed at the end, whatever happens."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.close()


class Forwarder:
    """A port of loopback that leads to another one, as a host name leads to a server: new connections to the new one.

    Args:
        target: The port where connections go.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), timeout=PATIENCE_SECONDS)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_copy, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        """Stop, and cut every connection."""
        # A thread that waits in accept() wakes up only when the socket is shut down.
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


class OpenSearchStub:
    """No OpenSearch: it answers a few requests as one does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        self.status = 200
        self.silent = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                stub.connections += 1

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stub.requests.append((self.command, self.path, dict(self.headers.items()), body))
                if stub.silent.is_set():
                    # Until the client gives up.
                    self.rfile.read(1)
                    self.close_connection = True
                    return
                answer: dict[str, Any] = {"version": {"distribution": "opensearch", "number": "2.19.0"}}
                if "/_doc" in self.path or "/_search" in self.path:
                    answer = {"result": "created", "hits": {"hits": []}}
                content = json.dumps(answer).encode()
                self.send_response(stub.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


class ConfigurationEndpoint:
    """No ElastiCache: it answers `config get cluster` as its configuration endpoint does, with nodes of loopback."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.asked = 0
        self._nodes = " ".join(f"localhost|127.0.0.1|{port}" for port in ports).encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client:
                    if client.recv(100) == b"config get cluster\r\n":
                        self.asked += 1
                        body = b"1\n" + self._nodes + b"\n"
                        client.sendall(b"CONFIG cluster 0 %d\r\n%b\r\nEND\r\n" % (len(body), body))

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def configuration_endpoint(*ports: int) -> Iterator[ConfigurationEndpoint]:
    """A configuration endpoint whose nodes listen on these ports."""
    endpoint = ConfigurationEndpoint(ports)
    try:
        yield endpoint
    finally:
        endpoint.close()
