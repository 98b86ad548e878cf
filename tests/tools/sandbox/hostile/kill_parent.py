import os
import signal

for name in ("SIGKILL", "SIGTERM", "SIGSTOP"):
    for pid in (os.getppid(), 1, 0 if name == "SIGSTOP" else 1):
        try:
            if pid:
                os.kill(pid, getattr(signal, name))
        except OSError:
            pass
print("CONTAINED")
