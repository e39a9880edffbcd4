#!/bin/sh
# Checks what build.sh makes: the same bytes from a copy of the sources in another
# place; static binaries that run, arm64's by emulation; packages that hold what they
# say; bills of material with libseccomp-golang in them.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
version=v0.0.1-check
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

fail() {
	echo "distcheck: $*" >&2
	exit 1
}

mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -c | tar -x -C "$work/copy"
tools/dist/build.sh "$version" "$work/one"
"$work/copy/tools/dist/build.sh" "$version" "$work/two"
diff "$work/one/SHA256SUMS" "$work/two/SHA256SUMS" || fail "two builds differ"

# runs ARCH COMMAND...: a binary of a tarball, by itself in an empty root.
emulator() {
	[ "$1" = amd64 ] && return
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/batten/qemu
	if [ ! -e "$cache/.done" ]; then
		echo "distcheck: unpacking qemu-user-static" >&2
		rm -rf "$cache"
		mkdir -p "$cache"
		apt-get update -qq >/dev/null
		(cd "$cache" && apt-get -o APT::Sandbox::User=root download -qq qemu-user-static >/dev/null && dpkg -x qemu-user-static_*.deb . && rm qemu-user-static_*.deb)
		touch "$cache/.done"
	fi
	echo "$cache/usr/bin/qemu-aarch64-static"
}

for arch in amd64 arm64; do
	tar -C "$work" -xzf "$work/one/batten-$version-linux-$arch.tar.gz"
	bin=$work/batten-$version-linux-$arch/bin
	run=$(emulator $arch)
	got=$($run "$bin/batten" version)
	[ "$got" = "batten $version" ] || fail "$arch: batten version says $got"
	$run "$bin/batten" compile RuntimeDefault | grep -q ' instructions of at most 4096' || fail "$arch: libseccomp does not compile"
	$run "$bin/batten" check --draft deploy/policies/strict.yaml >/dev/null || fail "$arch: batten check"
	for binary in batten batten-runc containerd-shim-batten-v2; do
		if readelf -l "$bin/$binary" | grep -q INTERP; then fail "$arch: $binary is not static"; fi
		grep -q '"bomFormat": "CycloneDX"' "$work/one/$binary-$version-linux-$arch.cdx.json" || fail "$arch: no bill of $binary"
	done
	grep -q libseccomp-golang "$work/one/batten-$version-linux-$arch.cdx.json" || fail "$arch: the bill does not name libseccomp-golang"
	if grep -q libseccomp-golang "$work/one/containerd-shim-batten-v2-$version-linux-$arch.cdx.json"; then fail "$arch: the shim is not pure Go"; fi
	deb=$work/one/batten_0.0.1+check_$arch.deb
	[ "$(dpkg-deb -f "$deb" Package Version Architecture | tr '\n' ' ')" = "Package: batten Version: 0.0.1+check Architecture: $arch " ] || fail "$deb: its control file"
	dpkg-deb -c "$deb" >"$work/list"
	for file in etc/logrotate.d/batten usr/sbin/batten usr/bin/batten-runc usr/bin/containerd-shim-batten-v2 usr/share/man/man8/batten.8.gz usr/share/man/man8/batten-lint.8.gz usr/share/man/man8/batten-runc.8.gz \
		usr/share/man/man8/containerd-shim-batten-v2.8.gz usr/share/man/man5/batten-policy.5.gz \
		usr/share/zsh/vendor-completions/_batten usr/share/fish/vendor_completions.d/batten.fish usr/share/bash-completion/completions/batten \
		usr/share/doc/batten/schema/policy.json usr/share/doc/batten/policies/default.yaml usr/share/doc/batten/README.md \
		usr/share/doc/batten/changelog.gz usr/share/doc/batten/docs/index.md usr/share/doc/batten/docs/guide/engines.md; do
		grep -q "root/root.* ./$file\$" "$work/list" || fail "$deb lacks $file, or it is not root's"
	done
	dpkg -x "$deb" "$work/deb-$arch"
	[ "$(readlink "$work/deb-$arch/usr/bin/batten-runc-crio")" = batten-runc ] || fail "$deb: no link for CRI-O"
	[ "$(readlink "$bin/batten-runc-crio")" = batten-runc ] || fail "$arch: no link for CRI-O"
	cmp "$work/deb-$arch/usr/sbin/batten" "$bin/batten" || fail "$arch: package and tarball differ"
done
tar -C "$work" -xzf "$work/one/batten-0.0.1-check.tgz"
[ "$(sed -n 's/^version: //p; s/^appVersion: //p' "$work/batten/Chart.yaml" | tr '\n' ' ')" = "\"0.0.1-check\" \"$version\" " ] || fail "the chart's versions"
grep -q "^  tag: \"$version\"\$" "$work/batten/values.yaml" || fail "the chart's image is not of $version"
[ "$(cd deploy/helm/batten && find . -type f | sort)" = "$(cd "$work/batten" && find . -type f | sort)" ] || fail "the chart lacks files"
tools/dist/removal.sh "$work/one/batten_0.0.1+check_amd64.deb"
echo "distcheck: fine"
