import os

print("ESCAPED" if "@SECRET@" in str(dict(os.environ)) else "CONTAINED")
