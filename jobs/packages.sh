#!/bin/sh
# Installs the Debian packages that the groups given need, or, without the right
# to, says exactly which are missing.
#
# usage: jobs/packages.sh GROUP...     groups: build, test, ml, analysis, cluster, fuzz
set -eu

packages=""
analysis="python3-h5py python3-numpy python3-pandas python3-matplotlib"
for group in "$@"; do
    case $group in
    build) packages="$packages gcc g++ make cmake pkg-config openmpi-bin libopenmpi-dev libzmq3-dev
               libjson-c-dev libhdf5-openmpi-dev libxxhash-dev zlib1g-dev uthash-dev
               libdeflate-dev libisal-dev libsimdjson-dev libmicrohttpd-dev
               libsystemd-dev libncurses-dev" ;;
    test) packages="$packages libc6-dbg libcmocka-dev python3 python3-zmq python3-setuptools python3-prometheus-client
               python3-pip procps util-linux iproute2 shellcheck dpkg-dev file
               clang-format codespell gdb
               $analysis mypy python3-selenium chromium chromium-driver" ;;
    ml) packages="$packages python3 python3-torch python3-mpi4py" ;; # optional: docs/pytorch.md
    analysis) packages="$packages python3 $analysis" ;;
    cluster) packages="$packages slurm-wlm munge" ;; # its tests: jobs/README.md
    fuzz) packages="$packages clang libclang-rt-dev" ;;
    *) echo "packages.sh: unknown group '$group'" \
        "(build, test, ml, analysis, cluster, fuzz)" >&2; exit 2 ;;
    esac
done

# A system out of debootstrap has no /etc/hosts: every start of MPI would then ask
# the name server for localhost, and wait for it.
if [ ! -e /etc/hosts ] && [ "$(id -u)" = 0 ]; then
    echo "writing /etc/hosts, which is missing, for localhost" >&2
    printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "packages.sh: no dpkg here; needed are the equivalents of: $packages" >&2
    exit 0 # the build says what it cannot find
fi
missing=""
for p in $packages; do
    case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true) in
    *" installed") ;;
    *) missing="$missing $p" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "packages.sh: missing Debian packages; as root, run:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
# shellcheck disable=SC2086 # a list
apt-get install -y -qq --no-install-recommends $missing >&2
