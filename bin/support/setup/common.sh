# Paths, words and small helpers of bin/setup. Expects REPO.

[ -n "${HOME:-}" ] || HOME=$(cd ~ && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/account_bank_connect
RUN=$REPO/.run
LOG=$RUN/logs/setup.log
ENV_FILE=$RUN/env.sh
STAMP=$RUN/setup.stamp

say() { printf 'setup: %s\n' "$*"; }

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
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
