# Odoo 19 Community: one you have, else Debian's package unpacked in the cache (not installed: its
# files fit any Debian, its dependencies do not), else the official repository.
# Sets ODOO_ROOT (the folder with the package "odoo"), ODOO_ORIGIN and ODOO_VERSION.

ODOO_SERIES=19.0
ODOO_GIT=https://github.com/odoo/odoo.git
# Font Awesome 4, which Odoo's icons are, is in bookworm; the rest of what Odoo's links point to
# comes from the suite that has Odoo.
ODOO_SUITE=sid
ODOO_PACKAGES="odoo-19 libjs-jquery libjs-jquery-form libjs-underscore
    fonts-inconsolata fonts-montserrat fonts-ocr-b fonts-roboto-unhinted"
OLD_SUITE=bookworm
OLD_PACKAGES="fonts-font-awesome"

find_or_fetch_odoo() {
    if [ -n "${ODOO_PATH:-}" ]; then
        use_odoo "$ODOO_PATH" "ODOO_PATH" ||
            die "ODOO_PATH=$ODOO_PATH holds no Odoo $ODOO_SERIES: give the folder with odoo-bin, or the one with the package odoo."
        return
    fi
    find_installed_odoo && return
    use_odoo "$CACHE/odoo-debian/usr/lib/python3/dist-packages" "Debian's package" && return
    use_odoo "$CACHE/odoo-git" "the official repository" && return
    fetch_odoo_from_debian && return
    fetch_odoo_from_git
}

# Takes the Odoo at a folder if it is one of the right series.
use_odoo() {
    local folder
    for folder in "$1" "$1/odoo"; do
        [ -r "$folder/odoo/release.py" ] && [ -d "$folder/odoo/addons/base" ] || continue
        folder=$(cd "$folder" && pwd -P)
        grep -q '^version_info = (19, 0,' "$folder/odoo/release.py" || continue
        ODOO_ROOT=$folder
        ODOO_ORIGIN=$2
        ODOO_VERSION=$ODOO_SERIES-$(cksum <"$folder/odoo/release.py" | cut -d' ' -f1)
        case "$folder" in
            # The other Python packages there must not get before the environment's own.
            */dist-packages | */site-packages) isolate_odoo ;;
        esac
        return 0
    done
    return 1
}

isolate_odoo() {
    local folder
    folder=$CACHE/odoo-only/$(printf %s "$ODOO_ROOT" | cksum | cut -d' ' -f1)
    mkdir -p "$folder"
    ln -sfn "$ODOO_ROOT/odoo" "$folder/odoo"
    [ ! -d "$ODOO_ROOT/addons" ] || ln -sfn "$ODOO_ROOT/addons" "$folder/addons"
    ODOO_ROOT=$folder
}

find_installed_odoo() {
    local found
    found=$(cd / && "$PYTHON_EXE" -c 'if True:
        import importlib.util, os
        spec = importlib.util.find_spec("odoo")
        for path in (spec and spec.submodule_search_locations) or []:
            print(os.path.dirname(path))' 2>/dev/null | head -n 1) || found=
    if [ -n "$found" ] && use_odoo "$found" "importable by $PYTHON_EXE"; then
        return 0
    fi
    found=$(command -v odoo-bin || command -v odoo) || return 1
    found=$(dirname "$(readlink -f "$found")")
    use_odoo "$found" "$found"
}

fetch_odoo_from_debian() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    local mirror work
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || return 1
    say "Fetching Odoo $ODOO_SERIES: Debian's package odoo-19 (about 130 MB; unpacked, not installed) ..."
    work=$(scratch)
    mkdir -p "$work"/{state/lists/partial,cache/archives/partial,debs,root}
    : >"$work/status"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
    for suite in "$ODOO_SUITE" "$OLD_SUITE"; do
        printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
    done >"$work/sources.list"
    # The machine's own lists, state and preferences are left alone.
    local apt=(apt-get -q -o "Dir::State=$work/state" -o "Dir::State::status=$work/status"
        -o "Dir::Cache=$work/cache" -o "Dir::Etc::sourcelist=$work/sources.list"
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null
        -o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User= -o Acquire::Languages=none
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
        -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false)
    local names=() name
    for name in $ODOO_PACKAGES; do names+=("$name/$ODOO_SUITE"); done
    for name in $OLD_PACKAGES; do names+=("$name/$OLD_SUITE"); done
    if ! quietly "${apt[@]}" update ||
        ! (cd "$work/debs" && quietly "${apt[@]}" download "${names[@]}"); then
        say "Debian's package odoo-19 could not be had."
        return 1
    fi
    local deb
    for deb in "$work"/debs/*.deb; do
        quietly dpkg-deb -x "$deb" "$work/root" || die "Unpacking $deb failed: is the disk full?"
    done
    # Debian leaves this file out (it is not built from source); without it every page of Odoo logs
    # an error. It blurs the background in video calls.
    local left_out=$work/root/usr/lib/python3/dist-packages/odoo/addons/mail/static/lib/selfie_segmentation
    mkdir -p "$left_out"
    [ -e "$left_out/selfie_segmentation.js" ] ||
        echo '// Left out of the Debian package.' >"$left_out/selfie_segmentation.js"
    rm -rf "$CACHE/odoo-debian"
    mv "$work/root" "$CACHE/odoo-debian"
    use_odoo "$CACHE/odoo-debian/usr/lib/python3/dist-packages" "Debian's package" && return
    say "Debian's package odoo-19 is no Odoo $ODOO_SERIES."
    return 1
}

# The address of the Debian mirror this machine is set up with.
debian_mirror() {
    apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
        awk '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" { print $4; exit }'
}

fetch_odoo_from_git() {
    command -v git >/dev/null ||
        { is_root && install_packages git; } ||
        die "Odoo $ODOO_SERIES was not found. Set ODOO_PATH to one, or install git so that it can be fetched."
    say "Fetching Odoo $ODOO_SERIES: a shallow clone of the official repository (about 1 GB) ..."
    local work
    work=$(scratch)
    quietly git clone --quiet --depth 1 --branch "$ODOO_SERIES" "$ODOO_GIT" "$work/odoo" ||
        die "Odoo $ODOO_SERIES could not be fetched. Check the network, or set ODOO_PATH to an Odoo $ODOO_SERIES you have."
    rm -rf "$CACHE/odoo-git"
    mv "$work/odoo" "$CACHE/odoo-git"
    use_odoo "$CACHE/odoo-git" "the official repository" ||
        die "What was fetched is no Odoo $ODOO_SERIES. Set ODOO_PATH to an Odoo $ODOO_SERIES you have."
}

check_odoo_starts() {
    PYTHONPATH=$ODOO_ROOT quietly "$VENV/bin/python" -c 'import odoo.cli.server, odoo.tests' ||
        die "Odoo at $ODOO_ROOT does not start with this Python: see $LOG."
}
