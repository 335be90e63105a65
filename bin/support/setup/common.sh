# Paths, words and small helpers of bin/setup. Expects REPO.

[ -n "${HOME:-}" ] || HOME=$(cd ~ && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/account_bank_connect
RUN=$REPO/.run
LOG=$RUN/logs/setup.log
ENV_FILE=$RUN/env.sh
STAMP=$RUN/setup.stamp
CHOICES=$RUN/setup.choices

say() { printf 'setup: %s\n' "$*"; }

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

current_choices() {
    local name value
    for name in ODOO_PATH PYTHON POSTGRES_BIN CHROMIUM; do
        value=${!name:-}
        # Not to depend on the folder this was called from.
        [ ! -e "$value" ] || value=$(realpath -s "$value")
        printf '%s=%s\n' "$name" "$value"
    done
}

# Takes up what an earlier run was told, where this one is told nothing.
recall_choices() {
    local line name
    [ -r "$CHOICES" ] || return 0
    while IFS= read -r line; do
        name=${line%%=*}
        [ -n "${!name+told}" ] || printf -v "$name" '%s' "${line#*=}"
    done <"$CHOICES"
}

is_root() { [ "$(id -u)" = 0 ]; }

# Runs a noisy command with its output in the log; on failure shows the end of it.
quietly() {
    printf '\n$ %s\n' "$*" >>"$LOG"
    "$@" >>"$LOG" 2>&1 && return
    local status=$?
    printf 'setup: this failed: %s\n' "$*" >&2
    tail -n 8 "$LOG" | sed 's/^/    /' >&2
    return "$status"
}

# Writes standard input to a file, all of it or nothing.
write_file() {
    cat >"$1.new.$$" && mv -f "$1.new.$$" "$1"
}

# A folder to work in, removed when the setup ends however it ends.
scratch() {
    local folder
    folder=$(mktemp -d "$CACHE/tmp.$$.XXXXXX") || die "Cannot write to $CACHE."
    printf '%s\n' "$folder"
}

trap 'rm -rf "$CACHE/tmp.$$."*' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
