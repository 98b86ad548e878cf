import ctypes

# The x32 numbers of the same machine: a filter that looks at the number alone lets them through.
print("CONTAINED", flush=True)
ctypes.CDLL(None).syscall(0x40000000 + 39)
print("ESCAPED")
