import os
import signal

print("CONTAINED", flush=True)
os.kill(-1, signal.SIGKILL)
