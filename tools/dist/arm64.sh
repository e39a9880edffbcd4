#!/bin/sh
# What the programs for arm64 are built with on another machine: the cross compiler, and
# arm64's libseccomp unpacked below a root of its own: the machine's list of architectures
# stays as it is. Prints the settings of cgo for a shell to evaluate.
set -eu

say() { echo "arm64: $*" >&2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/batten/dist-arm64
if ! dpkg-query -W -f '${Status}' gcc-aarch64-linux-gnu 2>/dev/null | grep -q 'ok installed'; then
	say "installing gcc-aarch64-linux-gnu"
	apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross >/dev/null
fi
if [ ! -e "$cache/.done" ]; then
	say "unpacking arm64's libseccomp"
	rm -rf "$cache"
	mkdir -p "$cache/lists/partial" "$cache/cache/archives/partial"
	(
		cd "$cache"
		apt_arm64() {
			apt-get -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o Dir::State::lists="$cache/lists" \
				-o Dir::Cache="$cache/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root "$@" >/dev/null
		}
		apt_arm64 update -qq
		apt_arm64 download -qq libseccomp-dev:arm64
		dpkg -x libseccomp-dev_*_arm64.deb root
	)
	rm -rf "$cache/lists" "$cache/cache"
	touch "$cache/.done"
fi
root=$cache/root/usr
echo "CC=aarch64-linux-gnu-gcc CGO_CFLAGS='-O2 -I$root/include' CGO_LDFLAGS=-L$root/lib/aarch64-linux-gnu PKG_CONFIG_LIBDIR=$root/lib/aarch64-linux-gnu/pkgconfig"
