import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
let_through = []
CALLS = "@CALLS@"
for call in CALLS.split():
    name, _, number = call.partition("=")
    result = libc.syscall(int(number), 0, 0, 0, 0, 0, 0)
    if result != -1 or ctypes.get_errno() != errno.EPERM:
        let_through.append((name, result, ctypes.get_errno()))
print("ESCAPED" if let_through else "CONTAINED", let_through)
