import os
import signal
import time

if os.fork() == 0:
    os.setsid()
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    time.sleep(600)
print("CONTAINED")
