"""Run as a program: becomes another program that dies with the process that asked for it.

usage: python -I -S leash.py PARENT_PID UID:GID|- FOLDER COMMAND...
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, account, folder, *command = sys.argv[1:]
    if account != "-":
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.chdir(folder)
    if sys.platform == "linux":
        # After setuid, which clears it; then the parent may be gone already, and no signal would come.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit("the process that asked for this one is gone")
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
