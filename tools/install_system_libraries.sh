#!/usr/bin/env bash
# Install what Qt, OpenGL and a virtual screen need of the system: Debian, Ubuntu and their kin.
# Installs only what is missing, so that it costs nothing to run it again.
#
# Usage: install_system_libraries.sh PYTHON    (the interpreter the virtual environment is made of)
set -euo pipefail

python=${1:?usage: install_system_libraries.sh PYTHON}
packages=(
    # a screen for tests and scripts
    xvfb xauth
    # OpenGL, with Mesa's software renderer
    libegl1 libgl1 libgl1-mesa-dri libopengl0
    # what the Qt wheels link to and do not bring
    libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1
)

if [ "$(uname -s)" != Linux ]; then
    exit 0
fi

# The system's own Python comes without ensurepip, which makes virtual environments.
if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
    packages+=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
fi

# Newer releases renamed some libraries for their 64-bit time: NAMEt64 stands for NAME.
is_installed() {
    local states
    states=$(dpkg-query --show --showformat='<${db:Status-Status}>' "$1" "$1t64" 2>/dev/null || true)
    [[ $states == *"<installed>"* ]]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    if ! command -v xvfb-run >/dev/null; then
        echo "This system has no apt-get. Install the equivalents of these packages, then go on:" >&2
        echo "  ${packages[*]}" >&2
    fi
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These system packages are missing and there is no sudo to install them with:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 0
    fi
    as_root=(sudo "${as_root[@]}")
fi
echo "Installing system packages: ${missing[*]}"
"${as_root[@]}" apt-get update --quiet
"${as_root[@]}" apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
