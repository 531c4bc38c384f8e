#!/usr/bin/env python3
"""Start a program that may not have memory which is written and executed.

    forbid_write_execute.py mdwe|seccomp PROGRAM [WORD...]

mdwe is Linux' own switch (PR_SET_MDWE, 6.3); seccomp is a filter of system calls as systemd's
MemoryDenyWriteExecute= sets it: no mapping that is writable and executable, and none that becomes
executable. Leaves with 77 where the kernel knows neither the switch nor the machine the filter.
"""
import ctypes
import mmap
import os
import platform
import struct
import sys

UNKNOWN = 77
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MDWE = 38, 22, 65
SECCOMP_MODE_FILTER, MDWE_REFUSE_EXEC_GAIN = 2, 1
AUDIT_ARCH_X86_64, MMAP, MPROTECT, PKEY_MPROTECT, SHMAT = 0xC000003E, 9, 10, 329, 30
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1          # EPERM
LOAD, EQUAL, ANY_OF, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
PROT_EXEC, WRITE_EXEC, SHM_EXEC = 4, 6, 0o100000
NUMBER, ARCHITECTURE, THIRD_ARGUMENT = 0, 4, 32     # places in struct seccomp_data

libc = ctypes.CDLL(None, use_errno=True)


def prctl(*words):
    return libc.prctl(*(ctypes.c_ulong(word) for word in words))


def filter_program():
    """Of each call: which, then the bits of its third argument."""
    program = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, AUDIT_ARCH_X86_64), (RETURN, 0, 0, REFUSE),
               (LOAD, 0, 0, NUMBER)]
    for call, bits in ((MMAP, WRITE_EXEC), (MPROTECT, PROT_EXEC), (PKEY_MPROTECT, PROT_EXEC),
                       (SHMAT, SHM_EXEC)):
        program += [(EQUAL, 0, 5, call), (LOAD, 0, 0, THIRD_ARGUMENT), (AND, 0, 0, bits),
                    (EQUAL, 0, 1, bits), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    program.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in program), len(program)


def forbid(how):
    if how == "mdwe":
        return prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0
    if platform.machine() != "x86_64":
        return False
    steps, count = filter_program()
    buffer = ctypes.create_string_buffer(steps, len(steps))
    program = struct.pack("HxxxxxxP", count, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(program, len(program))
    return (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(holder)) == 0)


def is_forbidden():
    try:
        mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return True
    return False


def main():
    if not forbid(sys.argv[1]):
        sys.exit(UNKNOWN)
    if not is_forbidden():
        sys.exit("%s forbids nothing here" % sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
