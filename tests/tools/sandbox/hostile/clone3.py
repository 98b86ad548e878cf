import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
arguments = (ctypes.c_uint64 * 11)(0x10000000)
result = libc.syscall(435, arguments, ctypes.sizeof(arguments))
if result == 0:
    libc._exit(0)
print("CONTAINED" if result == -1 and ctypes.get_errno() == errno.ENOSYS else "ESCAPED", result)
