#!/bin/sh
# Make the virtual environment $1 with the first Python that is 3.11 or newer: $PYTHON, else on PATH.
# sh, for it runs before any Python of ours. Where Debian left venv out of Python, root installs it.
set -eu

venv=$1

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

say() {
    echo "setup: $*" >&2
}

# The same name may stand several times on PATH, and the first may be a shim that runs nothing.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && command -v "$PYTHON" && return
        say "PYTHON=$PYTHON is not a Python 3.11 or newer"
        exit 2
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        old_ifs=$IFS
        IFS=:
        for folder in $PATH; do
            IFS=$old_ifs
            if [ -x "$folder/$name" ] && is_new_enough "$folder/$name"; then
                echo "$folder/$name"
                return
            fi
        done
        IFS=$old_ifs
    done
    say "no Python 3.11 or newer on PATH; install one, or say which: make PYTHON=/path/to/python3"
    exit 2
}

can_make_venvs() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

if [ -x "$venv/bin/python" ] && is_new_enough "$venv/bin/python" \
    && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=$(find_python)
if ! can_make_venvs "$python"; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "$python lacks venv: installing $package"
        if ! said=$(apt-get update -qq 2>&1 \
            && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" 2>&1); then
            say "$(echo "$said" | tail -n 1)"
            exit 2
        fi
    else
        say "$python lacks venv and ensurepip; install it (Debian, Ubuntu: $package), or say which: make PYTHON=…"
        exit 2
    fi
fi

say "making $venv with $("$python" --version)"
rm -rf "$venv"
"$python" -m venv "$venv"
