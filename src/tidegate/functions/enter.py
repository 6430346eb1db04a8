"""Puts a function's process into its own world, then becomes its program (see isolation):

    enter.py DIRECTORY TMP [size MB | hide PATH | bind PATH THERE]… -- COMMAND…

With a size, /tmp is in memory: there is no other file system whose size an ordinary user can set.

Runs as a script of its own between the gateway and the function, with nothing but the standard library.

AWS: "Lambda execution environment". Linux: user_namespaces(7), mount_namespaces(7), landlock(7), capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 0x1000, 0x4000, 0x40000
_AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = -100, 0x8000, 1
_SYS_MOUNT_SETATTR, _SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_RESTRICT = 442, 444, 446
_LANDLOCK_SCOPES_ABI, _SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 6, 1, 2
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_O_PATH = 0o10000000
_PROCESSES = 1024
"""AWS: "Lambda quotas", processes and threads."""

_CHANNEL = 15
"""The highest number that Node.js takes care of; scripts use the lowest ones for themselves."""

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _new_namespaces() -> None:
    """Mounts of our own; and a user namespace, which is what allows an ordinary user to have them."""
    uid, gid = os.getuid(), os.getgid()
    _check(_libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "unshare")
    for name, text in (("uid_map", f"{uid} {uid} 1"), ("setgroups", "deny"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _check(_libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]), f"mount {target}")


def _bind(descriptor: int, target: str) -> None:
    _mount(f"/proc/self/fd/{descriptor}", target, None, _MS_BIND | _MS_REC)


def _read_only(path: str, on: bool) -> None:
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY if on else 0, 0 if on else _READ_ONLY, 0, 0)
    flags = _AT_RECURSIVE if on else 0
    result = _libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, attributes, 32)
    _check(result, f"mount_setattr {path}")


def _arrange(hide: list[str], tmp: str, binds: list[tuple[str, str]], size: str | None) -> None:
    """Everything that is needed is held by a descriptor before anything is hidden, since it may lie in what is hidden."""
    held = [(os.open(here, _O_PATH), there) for here, there in binds]
    temporary = os.open(tmp, _O_PATH)
    for path in hide:
        if os.path.isdir(path):  # one may be inside another  # noqa: PTH112
            _mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=256k")
    if size is None:
        _bind(temporary, "/tmp")  # noqa: S108 - the function's own
    else:
        _mount("tmpfs", "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=700,size={size}m")  # noqa: S108
    for descriptor, target in held:
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
        _bind(descriptor, target)
        os.close(descriptor)
    os.close(temporary)
    _read_only("/", True)
    _read_only("/tmp", False)  # noqa: S108


def _give_up_powers() -> None:
    if os.getuid() == 0:  # another user loses them with the next program
        for capability in range(64):
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    # In a user namespace of its own, only the function's own processes count.
    resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))


def _scope_signals() -> None:
    """Signals reach only what the function has started itself, from Linux 6.12 on."""
    if _libc.syscall(_SYS_LANDLOCK_CREATE, None, 0, 1) < _LANDLOCK_SCOPES_ABI:
        return
    attributes = (ctypes.c_uint64 * 3)(0, 0, _SCOPE_SIGNALS | _SCOPE_ABSTRACT_SOCKETS)
    ruleset = _libc.syscall(_SYS_LANDLOCK_CREATE, attributes, 24, 0)
    _check(ruleset, "landlock")
    _check(_libc.syscall(_SYS_LANDLOCK_RESTRICT, ruleset, 0), "landlock")
    os.close(ruleset)


def _lower_channel() -> None:
    """Node.js keeps only descriptors of low numbers from its children (uv_disable_stdio_inheritance)."""
    number = os.environ.get("_TIDEGATE_CHANNEL")
    if number is not None and int(number) != _CHANNEL:
        os.dup2(int(number), _CHANNEL)
        os.close(int(number))
        os.environ["_TIDEGATE_CHANNEL"] = str(_CHANNEL)


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    (directory, tmp, *words), command = arguments[:split], arguments[split + 1 :]
    hide: list[str] = []
    binds: list[tuple[str, str]] = []
    size: str | None = None
    while words:
        word = words.pop(0)
        if word == "hide":
            hide.append(words.pop(0))
        elif word == "size":
            size = words.pop(0)
        else:
            binds.append((words.pop(0), words.pop(0)))
    _new_namespaces()
    _arrange(hide, tmp, binds, size)
    _give_up_powers()
    _scope_signals()
    _lower_channel()
    os.chdir(directory)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(126)
