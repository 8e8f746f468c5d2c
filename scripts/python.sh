#!/bin/sh
# Prints the Python for .venv: the first one of version 3.11 or later. The exit code is 1 if there is none.
for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    path=$(command -v "$name") || continue
    if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
done
exit 1
