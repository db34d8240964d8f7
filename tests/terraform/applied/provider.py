"""One process of the AWS provider for all runs of Terraform, whose waits are short.

The provider waits for AWS by fixed times: 25 s for a queue, a minute for a load balancer, ten for an OpenSearch domain.
The emulator has everything at once, so all of that is idle. Here the provider sleeps a 32nd of what it means to:
the same calls in the same order, with the same number of polls. Deadlines of requests stay as they are.

The provider has no setting for that, so two functions of Go's library get a few instructions put before them, in the
memory of the running process only. Where this cannot be done (another processor or system, or another shape of these
functions) the tests take longer and test the same.
"""

import json
import os
import platform
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SHORTER_BY_BITS = 5
ATTACH = "TF_REATTACH_PROVIDERS"

# What both functions begin with: compare the stack with its end, and go to where it grows.
STACK_CHECK = bytes.fromhex("493b66100f86")
STACK_CHECK_LENGTH = 10
# Then a frame is made: push rbp; mov rbp, rsp; sub rsp, number.
FRAME = bytes.fromhex("554889e54883ec")
FRAME_LENGTH = 8
FUNCTIONS = (b"time.Sleep", b"time.NewTimer")

SHORTEN_FIRST_ARGUMENT = bytes.fromhex("48c1f8") + bytes([SHORTER_BY_BITS])  # sar rax, bits
JUMP = b"\xe9"
JUMP_LENGTH = 5
NO_OPERATION = b"\x90"


# In the place of the provider a shell starts what tells it to end when standard input closes, which it does when this
# process ends in whatever way. Told so, the provider removes its socket.
UNTIL_INPUT_ENDS = 'exec 3<&0 </dev/null; { cat <&3; kill -INT $$; } >/dev/null 2>&1 & exec 3<&-; exec "$0" "$@"'


class UnsuitableError(Exception):
    """Not a provider whose waits can be shortened."""


class _Executable:
    """As much of an ELF file by Go 1.20 or later as it takes to find a function in it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        header = self._read(0, 64)
        if header[:6] != b"\x7fELF\x02\x01" or header[18] != 62:
            raise UnsuitableError("not a 64-bit x86 ELF file")
        (start,) = struct.unpack_from("<Q", header, 40)
        size, count, names_index = struct.unpack_from("<3H", header, 58)
        sections = [struct.unpack("<IIQQQQIIQQ", self._read(start + size * index, 64)) for index in range(count)]
        names = self._read(sections[names_index][4], sections[names_index][5])
        found = {names[section[0] :].split(b"\0", 1)[0]: section[3:6] for section in sections}
        try:
            self.text_address, self._text_offset, self.text_size = found[b".text"]
            _, table_offset, table_size = found[b".gopclntab"]
        except KeyError as missing:
            raise UnsuitableError(f"no section {missing}") from None
        self._table = self._read(table_offset, table_size)

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def code(self, address: int, size: int) -> bytes:
        """The instructions at an address."""
        return self._read(self._text_offset + address - self.text_address, size)

    def functions(self) -> dict[bytes, int]:
        """The addresses of the functions that are to be changed."""
        # https://go.dev/src/debug/gosym/pclntab.go
        magic, *_ = struct.unpack_from("<I", self._table)
        if magic != 0xFFFFFFF1:
            raise UnsuitableError("another form of Go's table of functions")
        count, _, text, names, *_, entries = struct.unpack_from("<8Q", self._table, 8)
        result = {}
        for index in range(count):
            entry, function = struct.unpack_from("<II", self._table, entries + 8 * index)
            (name,) = struct.unpack_from("<i", self._table, entries + function + 4)
            for wanted in FUNCTIONS:
                if self._table.startswith(wanted + b"\0", names + name):
                    result[wanted] = text + entry
        return result


def _changes(path: Path) -> dict[int, bytes]:
    """What to write where, so that the functions take their first argument for a 32nd."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise UnsuitableError(
            "neither the instructions nor the memory of a process as a file are those of Linux on x86-64"
        )
    with path.open("rb") as file:
        executable = _Executable(file)
        functions = executable.functions()
        if set(functions) != set(FUNCTIONS):
            raise UnsuitableError("the functions are not there")
        # The last page of the code is not filled.
        free = executable.text_address + executable.text_size
        free += -free % 16
        room = -free % 4096
        changes = {}
        for address in functions.values():
            if not 0 <= address - executable.text_address < executable.text_size:
                raise UnsuitableError("the table of functions has other addresses")
            code = executable.code(address, STACK_CHECK_LENGTH + FRAME_LENGTH)
            if not code.startswith(STACK_CHECK) or not code[STACK_CHECK_LENGTH:].startswith(FRAME):
                raise UnsuitableError("the functions begin otherwise")
            here = address + STACK_CHECK_LENGTH
            detour = SHORTEN_FIRST_ARGUMENT + code[STACK_CHECK_LENGTH:]
            detour += _jump(free + len(detour), here + FRAME_LENGTH)
            if len(detour) > room:
                raise UnsuitableError("no room behind the code")
            changes[free] = detour
            changes[here] = _jump(here, free) + NO_OPERATION * (FRAME_LENGTH - JUMP_LENGTH)
            free, room = free + 32, room - 32
        return changes


def _jump(start: int, end: int) -> bytes:
    return JUMP + struct.pack("<i", end - start - JUMP_LENGTH)


def _shorten(process: int, changes: dict[int, bytes]) -> None:
    os.kill(process, signal.SIGSTOP)
    try:
        # Until all of its threads stand; it stays to be waited for.
        os.waitid(os.P_PID, process, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        with Path(f"/proc/{process}/mem").open("r+b", buffering=0) as memory:
            for address, code in changes.items():
                memory.seek(address)
                memory.write(code)
    finally:
        os.kill(process, signal.SIGCONT)


class Provider:
    """The provider, serving until it is closed.

    Args:
        path: Its executable.
        environment: The environment it runs in.
        folder: Where what it logs goes to.

    Attributes:
        shortened: Whether its waits are short.
        reason: Why not.
    """

    def __init__(self, path: Path, environment: dict[str, str], folder: Path) -> None:
        self._path = path
        self._environment = environment
        self._log = folder / "provider.log"
        self._process: subprocess.Popen[str] | None = None
        self._attach = ""
        self._folder: Path | None = None
        self.reason = ""
        self._changes: dict[int, bytes] = {}
        try:
            self._changes = _changes(path)
        except UnsuitableError as reason:
            self.reason = str(reason)
        except (OSError, struct.error, IndexError) as reason:
            self.reason = f"not as an executable is: {reason!r}"

    @property
    def shortened(self) -> bool:
        return not self.reason

    def attach(self, folder: Path) -> dict[str, str]:
        """The environment with which Terraform uses this process in a folder.

        It starts anew for another folder, from which it reads files as Terraform would, and after a crash.
        """
        if folder != self._folder or self._process is None or self._process.poll() is not None:
            self.close()
            self._folder = folder
            self._start()
        return {ATTACH: self._attach}

    def _start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", UNTIL_INPUT_ENDS, str(self._path), "-debug"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._attach = next(self._announcements())
        if self._changes:
            try:
                _shorten(self._process.pid, self._changes)
            except OSError as reason:
                self.reason = f"the memory of the provider cannot be written: {reason}"
                self._changes = {}

    def _announcements(self) -> Iterator[str]:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.strip().partition("=")
            if name == ATTACH:
                yield json.dumps(json.loads(value.strip("'")))
        raise RuntimeError(f"The provider ended before it served: {self._log.read_text()}")

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        try:
            # Closes its standard input.
            self._process.communicate(timeout=30)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        finally:
            self._process = None
