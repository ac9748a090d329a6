#!/usr/bin/env bash
# Print the path of a Python 3.11 to 3.14: `python3` where it is one of them, else 3.14 last, since
# TensorFlow, which trains, has no wheels for it.
set -euo pipefail

for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
    # Asked for its own path, since a version manager's shim may stand there and lead nowhere.
    if path=$("$candidate" -c '
import sys
if (3, 11) <= sys.version_info[:2] <= (3, 14):
    print(sys.executable)
' 2>/dev/null) && [ -n "$path" ]; then
        echo "$path"
        exit 0
    fi
done
found=$(python3 --version 2>/dev/null || echo "no python3")
echo "Found $found; expected Python 3.11, 3.12, 3.13 or 3.14. Install one of them" >&2
echo "(3.14 does everything but train) and name it: make PYTHON=/path/to/python3.13 ..." >&2
exit 1
