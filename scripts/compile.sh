#!/bin/sh
# Makes the program with its rules compiled (docs/decisions/0009): compile.sh PYTHON FOLDER
#
# In a copy: a compiled module left beside its source would be imported instead of it, edited or not.
# Needs a C compiler and Python's headers (Debian: gcc, python3-dev), and takes a minute.
set -eu

python=$(pwd)/$1
folder=$(pwd)/$2
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

command -v "${CC:-cc}" >/dev/null || { echo "compile: no C compiler; apt install gcc python3-dev" >&2; exit 2; }
echo "compile: the rules, by mypyc; a minute"
cp -R config console events handlers store workers pyproject.toml README.md LICENSE NOTICE "$copy"
cd "$copy"
HATCH_BUILD_HOOKS_ENABLE=1 "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
	--no-build-isolation --wheel-dir wheel . >log 2>&1 || { cat log >&2; exit 1; }
rm -rf "$folder"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
	--target "$folder" wheel/backship-*.whl 2>/dev/null
