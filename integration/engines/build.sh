#!/bin/sh
# Brings the engines that the integration tests run to a cache outside the
# repository: containerd and runc built from the modules pinned beside this
# script, and Debian's own packages unpacked without installing them, so that
# no service starts and the machine's settings stay as they were.
#
#   build.sh [all|kubernetes|peers|debian|packages]     prints the cache directory on its last line
#
# Each part is built once per content of its go.mod and go.sum.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${BATTEN_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/batten/engines}
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9

say() { echo "engines: $*" >&2; }

# packages NAME...: what the C builds and the test images need, from Debian.
packages() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	[ -z "$missing" ] && return
	say "installing$missing"
	apt_update
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

apt_updated=
apt_update() {
	[ -n "$apt_updated" ] && return
	apt-get update -qq >/dev/null
	apt_updated=yes
}

# debian: containerd 1.6.20, runc 1.1.5, crun, Podman, Buildah, Docker 20.10 and
# busybox as Debian 12 ships them, unpacked into one root.
debian() {
	stamp="$cache/debian/.done-2"
	[ -e "$stamp" ] && return
	say "unpacking Debian's engines and busybox-static"
	rm -rf "$cache/debian"
	mkdir -p "$cache/debian/deb"
	# apt drops to the user _apt for downloads, which may not write here.
	apt_update
	(cd "$cache/debian/deb" && apt-get -o APT::Sandbox::User=root download -qq \
		containerd runc crun busybox-static libyajl2 \
		podman conmon buildah golang-github-containers-common golang-github-containers-image \
		docker.io tini libgpgme11 libassuan0 libdevmapper1.02.1 libsubid4 >/dev/null)
	for deb in "$cache"/debian/deb/*.deb; do dpkg -x "$deb" "$cache/debian"; done
	rm -rf "$cache/debian/deb"
	touch "$stamp"
}

# cni: the bridge network's plugins as Debian ships them.
cni() {
	[ -e "$cache/cni/.done" ] && return
	say "unpacking Debian's CNI plugins"
	rm -rf "$cache/cni"
	mkdir -p "$cache/cni/deb"
	apt_update
	(cd "$cache/cni/deb" && apt-get -o APT::Sandbox::User=root download -qq containernetworking-plugins >/dev/null)
	dpkg -x "$cache"/cni/deb/*.deb "$cache/cni"
	rm -rf "$cache/cni/deb"
	touch "$cache/cni/.done"
}

# once DIR COMMAND...: run in DIR, it fills the directory $out.
once() {
	dir=$1
	shift
	key=$(cat "$here/$dir/go.mod" "$here/$dir/go.sum" | sha256sum | cut -c1-16)
	out="$cache/$dir-$key"
	if [ ! -e "$out/.done" ]; then
		say "building $dir (once; takes a few minutes)"
		rm -rf "$out"
		mkdir -p "$out"
		(cd "$here/$dir" && "$@")
		touch "$out/.done"
	fi
	ln -sfn "$out" "$cache/$dir"
}

# module DIR CGO TAGS: every tool that DIR/go.mod lists.
module() {
	once "$1" tools "$2" "$3"
}

tools() {
	CGO_ENABLED=$1 go build -trimpath -tags "$2" -ldflags '-s -w' -o "$out/" tool
}

# peers: containerd's own integration tests, and what they read.
peers() {
	suite=github.com/containerd/containerd/v2/integration
	CGO_ENABLED=0 go test -c -trimpath -o "$out/" $suite $suite/client
	CGO_ENABLED=0 go build -trimpath -o "$out/" $suite/failpoint/cmd/runc-fp # a runc that fails
	cp -r "$(go list -m -f '{{.Dir}}' github.com/containerd/containerd/v2)/integration/client/testdata" "$out/"
	chmod -R u+w "$out/testdata"
}

# The command line is built with libseccomp, as runc is.
packages pkg-config libseccomp-dev
[ "${1:-all}" = packages ] && exit
debian
if [ "${1:-all}" = all ]; then
	packages strace # by which the fault tests fail system calls
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	module containerd-1.7 0 ''
	module containerd-2.2 0 ''
	module docker-29 0 ''
fi
if [ "${1:-all}" = peers ]; then
	packages lsof procps strace # which they call
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	once containerd-2.4-tests peers
	cni
fi
if [ "${1:-all}" = kubernetes ]; then
	module runc-1.5 1 seccomp
	module containerd-2.4 0 ''
	module containerd-1.7 0 ''
	module kubernetes-1.35 0 ''
	cni
fi
echo "$cache"
