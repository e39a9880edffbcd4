#!/bin/sh
# Makes what is released: for amd64 and arm64 a tarball of static binaries with
# manual pages, shell completions and example policies, a Debian package of the
# same, and the bills of material (CycloneDX); the Helm chart; then the digests of all.
#
#   build.sh VERSION DIR      ARCHES=amd64 for one architecture only
#
# Two runs on the same commit give the same bytes: no path, no clock (but the
# commit's, as SOURCE_DATE_EPOCH), no order of a directory, and the compilers of
# Debian 12 and go.mod.
set -eu

version=$1 out=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$root"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "dist: $*" >&2; }

# A Debian version begins with a digit and has no dash of its own.
case $version in
v[0-9]*) debian=${version#v} ;;
[0-9]*.*) debian=$version ;;
*) debian=0~git$version ;;
esac
debian=$(echo "$debian" | tr - +)

# compile ARCH DIR: the binaries, static and stripped.
compile() {
	ldflags="-s -w -buildid= -X github.com/batten-runtime/batten/internal/version.Version=$version"
	export GOOS=linux GOARCH=$1
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "$2/" ./cmd/containerd-shim-batten-v2 ./cmd/batten-runc
	ln -s batten-runc "$2/batten-runc-crio"
	if [ "$1" = arm64 ]; then
		settings=$(tools/dist/arm64.sh)
		eval "export $settings"
	fi
	CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags osusergo,netgo -ldflags "$ldflags -linkmode external -extldflags '-static -Wl,--build-id=none'" -o "$2/" ./cmd/batten
}

# tree ARCH: what both packages hold, below $work/ARCH.
tree() {
	dir=$work/$1
	mkdir -p "$dir/bin" "$dir/man" "$dir/completions" "$dir/policies" "$dir/schema"
	(compile "$1" "$dir/bin")
	cp -r deploy/policies/* "$dir/policies/"
	cp deploy/schema/*.json "$dir/schema/"
	mkdir -p "$dir/logrotate"
	cp deploy/logrotate/batten "$dir/logrotate/"
	# The pages link to each other as in the repository.
	cp -r LICENSE README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md docs "$dir/"
	find "$dir/docs" -name '*.go' -delete
	mkdir "$dir/deploy"
	ln -s ../policies ../schema "$dir/deploy/"
	"$batten" man --dir "$dir/man"
	for shell in bash zsh fish powershell; do "$batten" completion $shell >"$dir/completions/$shell"; done
}

tarball() {
	name=batten-$version-linux-$1
	tar -C "$work" --transform "s,^$1,$name," --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "$1" |
		gzip -n9 >"$out/$name.tar.gz"
}

deb() {
	dir=$work/$1 deb=$work/deb-$1
	mkdir -p "$deb/DEBIAN" "$deb/usr/bin" "$deb/usr/sbin" "$deb/usr/share/man/man5" "$deb/usr/share/man/man8" "$deb/usr/share/doc/batten" \
		"$deb/usr/share/bash-completion/completions" "$deb/usr/share/zsh/vendor-completions" "$deb/usr/share/fish/vendor_completions.d"
	cp -P "$dir/bin/containerd-shim-batten-v2" "$dir/bin/batten-runc" "$dir/bin/batten-runc-crio" "$deb/usr/bin/"
	cp "$dir/bin/batten" "$deb/usr/sbin/"
	for page in "$dir"/man/*; do gzip -n9 <"$page" >"$deb/usr/share/man/man${page##*.}/$(basename "$page").gz"; done
	cp "$dir/completions/bash" "$deb/usr/share/bash-completion/completions/batten"
	cp "$dir/completions/zsh" "$deb/usr/share/zsh/vendor-completions/_batten"
	cp "$dir/completions/fish" "$deb/usr/share/fish/vendor_completions.d/batten.fish"
	for page in policies schema deploy docs README.md SECURITY.md CONTRIBUTING.md LICENSE CHANGELOG.md; do
		cp -a "$dir/$page" "$deb/usr/share/doc/batten/"
	done
	cp LICENSE "$deb/usr/share/doc/batten/copyright"
	gzip -n9 <CHANGELOG.md >"$deb/usr/share/doc/batten/changelog.gz"
	cp tools/dist/debian/prerm "$deb/DEBIAN/prerm"
	chmod 0755 "$deb/DEBIAN/prerm"
	mkdir -p "$deb/etc/logrotate.d"
	cp "$dir/logrotate/batten" "$deb/etc/logrotate.d/batten"
	echo /etc/logrotate.d/batten >"$deb/DEBIAN/conffiles"
	cat >"$deb/DEBIAN/control" <<END
Package: batten
Version: $debian
Architecture: $1
Maintainer: Batten maintainers <maintainers@batten-runtime.example>
Section: admin
Priority: optional
Enhances: containerd, podman, docker.io
Description: one seccomp policy for every container of a node
 A containerd shim, an OCI runtime wrapper and a command line that hold every
 container on a node to one seccomp policy. Nothing goes through them before
 batten install puts them into an engine's configuration.
END
	dpkg-deb --root-owner-group -Zxz --build "$deb" "$out/batten_${debian}_$1.deb" >/dev/null
}

# bills: what each binary was built of.
bills() {
	for binary in containerd-shim-batten-v2 batten-runc batten; do
		(cd "$work/$1/bin" && "$cyclonedx" bin -json -noserial -notimestamp -version "$version" -output "$out/$binary-$version-linux-$1.cdx.json" "./$binary" 2>/dev/null)
	done
}

# chart: what helm install takes. Its version has three numbers, as Helm wants them.
chart() {
	case $version in
	v[0-9]* | [0-9]*.*) semver=${version#v} ;;
	*) semver=0.0.0-git$version ;;
	esac
	mkdir -p "$work/chart"
	cp -r deploy/helm/batten "$work/chart/"
	sed -i "s/^version: .*/version: \"$semver\"/; s/^appVersion: .*/appVersion: \"$version\"/" "$work/chart/batten/Chart.yaml"
	sed -i "s/^  tag: dev\$/  tag: \"$version\"/" "$work/chart/batten/values.yaml"
	tar -C "$work/chart" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c batten | gzip -n9 >"$out/batten-$semver.tgz"
}

integration/engines/build.sh packages
batten=$work/batten
CGO_ENABLED=1 go build -trimpath -ldflags "-X github.com/batten-runtime/batten/internal/version.Version=$version" -o "$batten" ./cmd/batten
cyclonedx=$work/cyclonedx-gomod
(cd tools/dist && go build -o "$cyclonedx" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)
for arch in ${ARCHES:-amd64 arm64}; do
	say "$arch"
	tree $arch
	tarball $arch
	deb $arch
	bills $arch
done
chart
(cd "$out" && sha256sum -- *.tar.gz *.deb *.cdx.json *.tgz >SHA256SUMS)
