# The programs that Debian provides: Python, PostgreSQL, Chromium.
# Sets PYTHON_EXE, PYTHON_VERSION, POSTGRES_BIN, POSTGRES_VERSION and CHROMIUM.

PRISM_VERSION=5.14.2

install_programs() {
    local wanted=()
    find_python || wanted+=(python3 python3-venv)
    find_postgres || wanted+=(postgresql)
    find_chromium || wanted+=(chromium)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/cert.pem ] ||
        wanted+=(ca-certificates)
    [ ${#wanted[@]} = 0 ] && return
    install_packages "${wanted[@]}"
    find_python || die "No Python 3.10 or newer with venv was found; set PYTHON to one."
    find_postgres || die "No PostgreSQL 13 or newer was found; set POSTGRES_BIN to the folder of its initdb."
    find_chromium || die "No Chromium was found; set CHROMIUM to the program."
}

# An OpenSSH server for the tests of SFTP and the practice bank's mailbox. Only unpacked, never
# installed: the package would open this machine's port 22 to the world. Nothing else needs it.
find_or_unpack_sshd() {
    local folder=$CACHE/openssh work
    [ -n "${SSHD:-}" ] || command -v sshd >/dev/null || [ -x /usr/sbin/sshd ] ||
        [ -x "$folder/usr/sbin/sshd" ] && return
    if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
        work=$(scratch)
        if (cd "$work" && fetch_packages openssh-server libwrap0 &&
            for package in *.deb; do quietly dpkg-deb -x "$package" "$work/openssh"; done); then
            rm -rf "$folder"
            mv "$work/openssh" "$folder" && return
        fi
    fi
    say "There is no OpenSSH server (sshd) here: its tests are skipped. The package is openssh-server."
}

# The Berlin Group's OpenAPI file, where somebody keeps it in a folder spec beside the checkout.
openapi_file() {
    if [ -n "${BERLIN_GROUP_OPENAPI:-}" ]; then
        printf '%s\n' "$BERLIN_GROUP_OPENAPI"
    else
        compgen -G "${REPO%/*}/*/spec/*berlin-group*openapi*.yaml" | sort -r | head -n 1 || true
    fi
}

# prism, which makes a mock bank from that file, for the test that requests keep to the standard.
# Without the file there is nothing to test, and prism is not fetched.
find_or_fetch_prism() {
    local folder=$CACHE/prism work
    [ -n "$(openapi_file)" ] || return 0
    [ -n "${PRISM:-}" ] || command -v prism >/dev/null ||
        [ "$(cat "$folder/.version" 2>/dev/null)" = "$PRISM_VERSION" ] && return
    if command -v npm >/dev/null; then
        work=$(scratch)
        if quietly npm install --prefix "$work" --no-save --no-audit --no-fund --ignore-scripts \
            "@stoplight/prism-cli@$PRISM_VERSION"; then
            printf '%s\n' "$PRISM_VERSION" >"$work/.version"
            rm -rf "$folder"
            mv "$work" "$folder" && return
        fi
    fi
    say "There is no prism (npm's @stoplight/prism-cli) here: the test of conformance is skipped."
}

# Downloads Debian packages to the current folder, with fresh lists where the present ones fail.
fetch_packages() {
    apt-get download "$@" >>"$LOG" 2>&1 && return
    is_root && quietly apt-get update && quietly apt-get download "$@"
}

# Installs Debian packages, or says in one sentence what to do.
install_packages() {
    if ! command -v apt-get >/dev/null; then
        die "Please install these first (Debian's names): $*."
    fi
    if ! is_root; then
        die "Please let an administrator run: apt-get install --no-install-recommends $*"
    fi
    say "Installing Debian packages: $*"
    local had_clusters=yes
    compgen -G '/etc/postgresql/*/*' >/dev/null || had_clusters=
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update ||
        die "apt-get update failed: check the network and /etc/apt, then run bin/setup again."
    quietly apt-get install -y --no-install-recommends "$@" ||
        die "apt-get could not install $*: see $LOG, then run bin/setup again."
    [ "$had_clusters" ] || drop_packaged_cluster
}

# Debian's postgresql starts an empty server of its own. Nothing here uses it, and a machine that
# had none before should not be left with one running.
drop_packaged_cluster() {
    local conf version
    for conf in /etc/postgresql/*/main/postgresql.conf; do
        [ -e "$conf" ] || continue
        version=$(basename "$(dirname "$(dirname "$conf")")")
        say "Removing the empty database server that the package postgresql has just started."
        quietly pg_dropcluster --stop "$version" main || true
    done
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
        # venv makes pip from ensurepip, which Debian packs apart.
        PYTHON_VERSION=$("$candidate" -c 'if True:
            import ensurepip, sys, venv
            assert sys.version_info >= (3, 10)
            print("%d.%d" % sys.version_info[:2])' 2>/dev/null) && [ "$PYTHON_VERSION" ] || continue
        PYTHON_EXE=$(command -v "$candidate")
        return 0
    done
    [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is no Python 3.10 or newer with the modules venv and ensurepip."
    return 1
}

find_postgres() {
    local folder given=${POSTGRES_BIN:-}
    for folder in ${given:-$(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV)} \
        ${given:-$(pg_config --bindir 2>/dev/null || true)}; do
        [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
        POSTGRES_VERSION=$("$folder/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        [ "$POSTGRES_VERSION" -ge 13 ] || continue
        POSTGRES_BIN=$folder
        return 0
    done
    [ -z "$given" ] || die "POSTGRES_BIN=$given holds no initdb and postgres of PostgreSQL 13 or newer."
    return 1
}

find_chromium() {
    local candidate
    for candidate in ${CHROMIUM:-google-chrome chromium chromium-browser google-chrome-stable}; do
        candidate=$(command -v "$candidate") || continue
        CHROMIUM=$candidate
        return 0
    done
    [ -z "${CHROMIUM:-}" ] || die "CHROMIUM=$CHROMIUM cannot be run."
    return 1
}
