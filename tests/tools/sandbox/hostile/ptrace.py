import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16
done = [pid for pid in (1, os.getppid(), int("@TEST_PID@")) if libc.ptrace(PTRACE_ATTACH, pid, 0, 0) == 0]
print("ESCAPED" if done or libc.ptrace(0, 0, 0, 0) == 0 else "CONTAINED", done)
