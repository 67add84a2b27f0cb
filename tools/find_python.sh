#!/bin/sh
# Prints a Python that can build the book, or one line that says what is missing. PYTHON, if set, is the only candidate.
missing="Python 3.11, 3.12 or 3.13 is needed and none was found: install python3 and python3-venv (Debian, Ubuntu: apt-get install python3 python3-venv)"
[ -z "$PYTHON" ] || missing="PYTHON=$PYTHON does not run: Python 3.11, 3.12 or 3.13 is needed"
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
        3.11 | 3.12 | 3.13) ;;
        *) missing="Python 3.11, 3.12 or 3.13 is needed, and $python is $version: name another one with PYTHON=..."; continue ;;
    esac
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
    missing="$python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)"
done
echo "$missing" >&2
exit 1
