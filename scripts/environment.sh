#!/bin/sh
# Installs evolver, editable, into a virtual environment: scripts/environment.sh FOLDER run|dev|docs|oldest
# "run" is what evolver needs; any other word is a dependency group of pyproject.toml on top of that. "oldest" is "dev"
# with the oldest versions that pyproject.toml allows, which takes uv: it is fetched into the folder.
# Takes uv where there is one (UV= says which, empty for none), else venv and pip.
set -eu

venv=$1
group=$2
UV=${UV-uv}
stamp=$venv/.has-$group

say() { printf 'evolver: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# Two makes at once: the second waits, and finds the work done.
if command -v flock >/dev/null 2>&1; then
    exec 9<pyproject.toml
    flock 9
    [ ! -e "$stamp" ] || [ -n "$(find pyproject.toml scripts/environment.sh -newer "$stamp")" ] || exit 0
fi

# uv pip learned --group in 2025; an older uv is left alone.
has_uv() {
    [ -n "$UV" ] && "$UV" pip install --help 2>/dev/null | grep -q -e --group
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer was found${PYTHON:+ as $PYTHON}; nothing was installed." \
        "Install one, or name it: make PYTHON=/path/to/python3.12"
}

# Behind a proxy with its own certificate the system knows it, and uv's own bundle does not.
if [ -z "${UV_SYSTEM_CERTS-}${UV_NATIVE_TLS-}${SSL_CERT_FILE-}" ] && [ -s /etc/ssl/certs/ca-certificates.crt ]; then
    export UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true  # the second is the name older versions know
fi

if has_uv; then tool=uv; else tool=pip; fi

if ! "$venv/bin/python" -c '' >/dev/null 2>&1; then
    python=$(find_python)
    say "making $venv with $("$python" --version) and $tool"
    if [ "$tool" = uv ]; then
        "$UV" venv --quiet --allow-existing --python "$python" "$venv"
    else
        "$python" -c 'import ensurepip' 2>/dev/null || fail "$python has no venv module; nothing was installed." \
            "Install it (on Debian and Ubuntu: apt install python3-venv) or uv, then run make again."
        "$python" -m venv --clear "$venv"
    fi
fi

if [ "$group" = oldest ]; then
    say "installing the oldest versions of what evolver needs"
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install --quiet 'uv>=0.7'
    # Every extra by its own name: what "all" asks for would not count as asked for here.
    "$venv/bin/python" -m uv pip install --quiet --python "$venv/bin/python" --resolution lowest-direct \
        --editable '.[hub,languages,notebook,pandas,postgres]' --group dev
    touch "$stamp"
    exit
fi

if [ "$group" = run ]; then set --; else set -- --group "$group"; fi

with_pip() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'  # older ones know no --group
    "$venv/bin/python" -m pip install --quiet --editable . "$@"
}

say "installing evolver and what it needs ($group); the first time takes a minute or two"
if [ "$tool" = pip ]; then
    with_pip "$@"
elif ! "$UV" pip install --quiet --python "$venv/bin/python" --editable . "$@"; then
    say "uv could not install it; trying pip, which may know an index or a proxy that uv does not"
    with_pip "$@"
fi
touch "$stamp"
