import os
import time

refused = 0
while refused < 1000:
    try:
        os.fork()
    except OSError:
        refused += 1
        time.sleep(0.001)
print("CONTAINED", flush=True)
time.sleep(600)
