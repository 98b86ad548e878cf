import os
import signal

killed = []
for pid in (int("@TEST_PID@"), int("@VICTIM_PID@"), -int("@VICTIM_PID@")):
    try:
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
    except OSError:
        pass
print("ESCAPED" if killed else "CONTAINED", killed)
