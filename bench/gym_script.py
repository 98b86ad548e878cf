"""Prints questions of reasoning-gym families, one JSON object a line: run by the interpreter that has the package.

``python gym_script.py SEED FAMILY=COUNT …``; every line has ``family``, ``number``, ``question`` and ``answer``.
"""

import importlib
import json
import sys


def main() -> None:
    # Not an import statement: this file is read, but not run, where the package is missing.
    gym = importlib.import_module("reasoning_gym")
    seed, *wanted = sys.argv[1:]
    for family, _, count in (argument.partition("=") for argument in wanted):
        for number, item in enumerate(gym.create_dataset(family, size=int(count), seed=int(seed))):
            line = {"family": family, "number": number, "question": item["question"], "answer": str(item["answer"])}
            print(json.dumps(line))


if __name__ == "__main__":
    main()
