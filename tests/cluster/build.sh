# shellcheck shell=bash
# Making the root folder, in three stages. Each leaves a stamp with the sum of what it was made from, so that an
# interrupted build goes on with the stage it was in, and a changed file repeats only what depends on it.

STAGES=(base packages configuration)

wanted() { # wanted STAGE: the sum of all that the stage and those before it are made from
    case $1 in
        base) echo "1 $SUITE" ;; # raise the number when stage_base changes
        packages) { wanted base && packages; } | sha256sum ;;
        configuration) { wanted packages && cd "$HERE" && settings && sha256sum $(settings) inside/*; } | sha256sum ;;
    esac
}
# A name with [SUITE] after it is for that release of Debian, with [!SUITE] for all but that.
packages() {
    sed 's/#.*//' "$HERE/packages.txt" |
        awk -v suite="$SUITE" 'NF == 1 || $2 == "[" suite "]" || ($2 ~ /^\[!/ && $2 != "[!" suite "]") {print $1}'
}
# The files of etc/, with those of etc/VERSION in the place of the common ones.
settings() {
    local file name
    for file in etc/*.conf; do
        name=$(basename "$file")
        if [ -e "etc/$SLURM/$name" ]; then echo "etc/$SLURM/$name"; else echo "$file"; fi
    done
}
is_made() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$(wanted "$1")" ]; }
is_built() { local s; for s in "${STAGES[@]}"; do is_made "$s" || return 1; done; }

cmd_build() {
    need_root
    lock "$ROOT.lock"
    [ "${1:-}" = --force ] && forget base
    if is_built; then
        say "already built: $ROOT"
        return
    fi
    ours_or_absent
    [ -e "$STAMPS/configuration" ] || stop_namespaces KILL # the first start of a build that was interrupted
    in_use && die "a cluster runs from $ROOT: take it down first"
    local began=$SECONDS stage
    for stage in "${STAGES[@]}"; do
        is_made "$stage" && continue
        forget "$stage"
        # in a mount namespace of its own: whatever ends it, no mount is left in the root
        unshare --mount --propagation private "$SELF" __stage "$stage" >>"$LOG" 2>&1 </dev/null 9>&- ||
            { tail -20 "$LOG" >&2; die "stage $stage failed, see $LOG"; }
        [ "$stage" = configuration ] && first_start
        wanted "$stage" >"$STAMPS/$stage"
        say "$stage done, $((SECONDS - began)) s"
    done
    say "built $ROOT, $(du -sxm "$ROOT" | cut -f1) MB"
}

forget() { # forget STAGE: it and the later ones are to be made anew
    case $1 in
        base) rm -f "$STAMPS"/{base,packages,configuration} ;;
        packages) rm -f "$STAMPS"/{packages,configuration} ;;
        configuration) rm -f "$STAMPS/configuration" ;;
    esac
}

ours_or_absent() {
    [ "$(readlink -f "$ROOT")" != / ] || die "will not touch /"
    [ ! -e "$ROOT" ] || [ -d "$STAMPS" ] || die "$ROOT was not made by this command: not touched"
}

# A running cluster holds a shared lock on its root.
in_use() { [ -d "$STAMPS" ] && ! flock -n -x "$STAMPS" true; }

__stage() { "stage_$1"; }

stage_base() {
    rm -rf --one-file-system "$ROOT"
    mkdir -p "$STAMPS"
    local missing=()
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
    if [ ${#missing[@]} -gt 0 ]; then
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
    fi
    local recipe=/usr/share/debootstrap/scripts
    [ -e "$recipe/$SUITE" ] && recipe=$recipe/$SUITE || recipe=$recipe/sid # for suites newer than debootstrap
    debootstrap --variant=minbase "$SUITE" "$ROOT" "$(mirror)" "$recipe"

    # nothing may start from a package's script
    printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
    chmod 755 "$ROOT/usr/sbin/policy-rc.d"
    printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
        'path-exclude=/usr/share/info/*' 'path-exclude=/usr/share/locale/*' >"$ROOT/etc/dpkg/dpkg.cfg.d/librarian-cluster"
    printf '%s\n' 'APT::Install-Recommends "0";' 'Acquire::Languages "none";' >"$ROOT/etc/apt/apt.conf.d/99librarian-cluster"
    # a machine that is kept at an old date trusts old lists: so does its cluster
    apt-config dump Acquire::Check-Valid-Until >>"$ROOT/etc/apt/apt.conf.d/99librarian-cluster"
    apt-config dump Acquire::Check-Date >>"$ROOT/etc/apt/apt.conf.d/99librarian-cluster"
}

mirror() { # the first Debian archive of this machine's apt; on Ubuntu there is none
    if [ -n "${LIBRARIAN_CLUSTER_MIRROR:-}" ]; then
        echo "$LIBRARIAN_CLUSTER_MIRROR"
        return
    fi
    local found
    # shellcheck disable=SC2016
    found=$(awk '$1 == "URIs:" {print $2} $1 == "deb" {print $2}' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        grep -E '^https?://[^ ]*/debian/?$' | head -1 || :)
    echo "${found:-http://deb.debian.org/debian}"
}

stage_packages() {
    local list
    mapfile -t list < <(packages)
    cp /etc/resolv.conf "$ROOT/etc/resolv.conf"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    chroot "$ROOT" dpkg --configure -a # after an interrupted build
    chroot "$ROOT" apt-get update
    chroot "$ROOT" apt-get install -y --fix-broken "${list[@]}"
    chroot "$ROOT" apt-get clean
    rm -rf "$ROOT"/var/lib/apt/lists/* "$ROOT"/usr/share/{doc,man,locale}/*
}

stage_configuration() {
    (cd "$HERE" && install -m 644 $(settings) "$ROOT/etc/slurm/")
    install -d "$ROOT/usr/local/lib/cluster"
    install -m 755 "$HERE"/inside/* "$ROOT/usr/local/lib/cluster/"
    chroot "$ROOT" /usr/local/lib/cluster/configure
}

# The accounting data are made once, by a start on the root itself. Every later start sees them through an overlay.
first_start() {
    start_namespaces on-the-root
    wait_ready 120
    as_root /usr/local/lib/cluster/accounts >>"$LOG" 2>&1 || start_failed "accounts failed, see $LOG"
    stop_namespaces TERM
}

cmd_remove() {
    need_root
    cmd_down
    lock "$ROOT.lock"
    ours_or_absent
    in_use && die "a cluster runs from $ROOT: take it down first"
    rm -rf --one-file-system "$ROOT" "$ROOT.state"
    rm -f "$LOG" "$ROOT.lock"
    # the default's parent folder is ours as well
    rmdir "$(dirname "$ROOT")" 2>/dev/null || :
    say "removed $ROOT"
}
