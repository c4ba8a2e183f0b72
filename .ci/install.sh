#!/bin/sh
# install.sh REQUIREMENTS STAMP: makes .venv with a Python this project runs on, installs, stamps.
# PYTHON names another interpreter than the ones searched for; INSTALLER=uv installs with uv instead of pip.
set -eu

fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        "$PYTHON" -c "$fits" >/dev/null 2>&1 && echo "$PYTHON"
        return 0
    fi
    for name in python3.13 python3.12 python3.11 python3 python; do
        # Run it rather than look for it: a version manager's shim may exist and still not start.
        if "$name" -c "$fits" >/dev/null 2>&1; then
            echo "$name"
            return 0
        fi
    done
}

# An environment whose Python was upgraded away or removed cannot be mended, only made again.
if ! .venv/bin/python -c "$fits" >/dev/null 2>&1; then
    python=$(find_python)
    if [ -z "$python" ]; then
        found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "no Python")
        echo "Python 3.11, 3.12 or 3.13 is needed and $found was found: install one from" \
            "https://www.python.org/downloads/ or name it with PYTHON=/path/to/python3.12." >&2
        exit 1
    fi
    if [ "${INSTALLER:-pip}" = uv ]; then
        uv venv --quiet --clear --python "$python" .venv
    elif ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo "$("$python" --version) lacks its venv module: on Debian or Ubuntu, install it with" \
            "'apt install python3-venv'." >&2
        exit 1
    else
        rm -rf .venv
        echo "Making .venv with $("$python" --version)."
        "$python" -m venv .venv
    fi
fi

echo "Installing $1. The first time this downloads several hundred MB and takes some minutes."
# An environment that uv made has no pip.
if [ "${INSTALLER:-pip}" = uv ] || ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    uv pip install --quiet --python .venv/bin/python -r "$1"
else
    .venv/bin/python -m pip install --disable-pip-version-check --quiet -r "$1"
fi
touch "$2"
