# shellcheck shell=bash
# Starting, entering and stopping the namespaces of the cluster.

first_pid() { # the cluster's first process, as this machine numbers it; checked against a number used again
    local pid started
    read -r pid started 2>/dev/null <"$STATE/first" || return 1
    [ "$(started_at "$pid")" = "$started" ] && echo "$pid"
}
started_at() { awk '{sub(/.*\) /, ""); print $20}' "/proc/$1/stat" 2>/dev/null; }
is_up() { first_pid >/dev/null; }
up_pid() { first_pid || die "the cluster is down"; }

cmd_up() {
    need_root
    lock "$STATE.lock"
    is_built || die "not built: run '$0 build'"
    if is_up; then
        say "already up"
        return
    fi
    local began=$SECONDS
    start_namespaces on-an-overlay
    wait_ready 90
    say "up, $((SECONDS - began)) s"
}

cmd_down() {
    need_root
    lock "$STATE.lock"
    stop_namespaces KILL # nothing of it is kept
    say "down"
}

start_namespaces() { # start_namespaces on-the-root|on-an-overlay
    mkdir -p "$STATE"
    rm -f "$STATE/first"
    # descriptor 8: the shared lock on the root, held for as long as the cluster lives
    setsid flock -s "$STAMPS" unshare --mount --pid --net --uts --ipc --fork --kill-child \
        "$SELF" __first_process "$1" </dev/null >"$STATE/start.log" 2>&1 9>&- &
    local parent=$! child='' _
    for _ in $(seq 200); do
        child=$(child_of "$(child_of "$parent")")
        [ -n "$child" ] && break
        kill -0 "$parent" 2>/dev/null || start_failed "unshare failed"
        sleep 0.02
    done
    [ -n "$child" ] || start_failed "no first process"
    echo "$child $(started_at "$child")" >"$STATE/first"
}
child_of() {
    local children=
    [ -n "$1" ] && children=$(cat "/proc/$1/task/$1/children" 2>/dev/null || :)
    echo "${children%% *}"
}

__first_process() { # runs as PID 1 of the new namespaces; becomes their tini
    local top=$ROOT
    mount --make-rprivate /
    if [ "$1" = on-an-overlay ]; then
        local layers=$STATE/layers
        mkdir -p "$layers"
        mount -t tmpfs -o mode=755 tmpfs "$layers"
        mkdir "$layers"/{upper,work,top}
        top=$layers/top
        mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$layers/upper,workdir=$layers/work" "$top"
    fi
    mount -t proc proc "$top/proc"
    mount -t sysfs -o ro sysfs "$top/sys"
    mount -t tmpfs -o mode=755 tmpfs "$top/run"
    mount -t tmpfs -o mode=1777 tmpfs "$top/tmp"
    mkdir "$top/run/lock"
    make_devices "$top/dev"
    ln -sf "/usr/share/zoneinfo/$ZONE" "$top/etc/localtime"
    hostname head
    # one address that is not 127.0.0.1, or getaddrinfo(AI_ADDRCONFIG) finds none
    chroot "$top" ip link set lo up
    chroot "$top" ip address add 10.0.0.1/32 dev lo
    exec env -i PATH="$SAFE_PATH" chroot "$top" /usr/bin/tini -- /usr/local/lib/cluster/init
}

make_devices() {
    local dev=$1 name number
    mount -t tmpfs -o mode=755,nosuid tmpfs "$dev"
    mkdir "$dev"/{pts,shm}
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$dev/shm"
    ln -s pts/ptmx "$dev/ptmx"
    ln -s /proc/self/fd "$dev/fd"
    for number in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${number%:*}" "$dev/${number#*:}"; done
    for name in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$dev/${name%:*}" c 1 "${name#*:}"; done
    mknod -m 666 "$dev/tty" c 5 0
    for number in {0..7}; do mknod -m 666 "$dev/fakegpu$number" c 1 3; done # what gres.conf names
}

wait_ready() { # wait_ready SECONDS
    local pid _
    for _ in $(seq $(($1 * 20))); do
        pid=$(first_pid) || start_failed "the cluster died while it started"
        [ -e "/proc/$pid/root/run/cluster.failed" ] && start_failed "a daemon did not start"
        [ -e "/proc/$pid/root/run/cluster.ready" ] && return
        sleep 0.05
    done
    start_failed "the cluster is not ready after $1 s"
}

start_failed() {
    local pid
    if pid=$(first_pid); then
        (cd "/proc/$pid/root/var/log" && tail -n 5 mariadb.log slurm/*.log) >&2 || :
    fi
    cat "$STATE/start.log" >&2
    stop_namespaces KILL
    die "$1"
}

stop_namespaces() { # TERM: in order, what is on disk is whole; KILL: at once
    local pid i
    pid=$(first_pid) || return 0
    kill -"$1" "$pid"
    for i in $(seq 1200); do
        is_up || break
        [ "$i" = 1000 ] && kill -KILL "$pid"
        sleep 0.05
    done
    is_up && die "process $pid does not end"
    rm -f "$STATE/first"
}

as_root() {
    local pid
    pid=$(up_pid)
    nsenter -t "$pid" -m -u -i -n -p -r -w -- env -i HOME=/root LC_ALL=C.UTF-8 PATH="$SAFE_PATH" "$@"
}

cmd_exec() {
    local folder='' user pid home shell
    if [ "${1:-}" = -C ]; then
        folder=${2:-}
        shift 2
    fi
    [ $# -ge 2 ] || die "exec: [-C DIR] USER COMMAND [ARGUMENT...]"
    user=$1
    shift
    pid=$(up_pid)
    IFS=: read -r home shell < <(awk -F: -v user="$user" '$1 == user {print $6 ":" $7}' "/proc/$pid/root/etc/passwd") ||
        die "no user $user in the cluster"
    exec nsenter -t "$pid" -m -u -i -n -p -r -w -- env -i \
        HOME="$home" USER="$user" LOGNAME="$user" SHELL="$shell" LANG=C.UTF-8 PATH="$SAFE_PATH" ${TERM:+TERM="$TERM"} \
        setpriv --reuid "$user" --regid "$user" --init-groups -- env -C "${folder:-$home}" "$@"
}

cmd_bind() {
    local options=bind pid top
    if [ "${1:-}" = --ro ]; then
        options=bind,ro
        shift
    fi
    [ $# = 2 ] || die "bind: [--ro] SOURCE TARGET"
    pid=$(up_pid)
    top=$(readlink "/proc/$pid/root")
    mkdir -p "/proc/$pid/root$2"
    nsenter -t "$pid" -m -- mount --bind "$1" "$top$2"
    nsenter -t "$pid" -m -- mount -o "remount,$options" "$top$2"
}

cmd_root() { echo "/proc/$(up_pid)/root"; }

cmd_status() {
    local pid
    pid=$(first_pid) || { say "down"; exit 3; }
    say "up, first process $pid"
    as_root sinfo
}
