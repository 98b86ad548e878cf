import os

numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
print("ESCAPED" if len(numbers) > 3 or max(numbers) > 20 else "CONTAINED", numbers)
