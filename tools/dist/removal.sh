#!/bin/sh
# Checks what removing a package of build.sh does, with dpkg in a root of its own: it is
# refused while an engine is configured to call Batten, and goes through otherwise.
#
#   removal.sh PACKAGE.deb
set -eu

deb=$1
root=$(mktemp -d)
running=
trap '[ -z "$running" ] || kill "$running" 2>/dev/null || :; rm -rf "$root"' EXIT
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"

fail() {
	echo "removal: $*" >&2
	cat "$root/out" >&2
	exit 1
}

debian() {
	dpkg --root="$root" --log=/dev/null --force-script-chrootless --force-not-root "$@" >"$root/out" 2>&1
}

installed() {
	[ "$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Status}' batten 2>/dev/null | cut -d' ' -f2-)" = 'ok installed' ]
}

# refused FILE TEXT REMEDY: FILE with TEXT keeps the package from being removed, and is
# named together with the command to run; an upgrade goes through.
refused() {
	mkdir -p "$(dirname "$root$1")"
	printf '%s\n' "$2" >"$root$1"
	if debian --remove batten; then fail "removed although $1 has: $2"; fi
	installed || fail "not refused, but broken"
	grep -qF "$root$1" "$root/out" || fail "does not name $1"
	grep -qF "first run: $3" "$root/out" || fail "does not say: $3"
	debian --install "$deb" || fail "upgrade with $1 is refused"
	rm "$root$1"
}

# allowed FILE TEXT: FILE with TEXT does not.
allowed() {
	mkdir -p "$(dirname "$root$1")"
	printf '%s\n' "$2" >"$root$1"
	debian --remove batten || fail "refused although $1 only has: $2"
	debian --install "$deb" || fail "cannot be installed again"
	rm "$root$1"
}

debian --install "$deb" || fail "cannot be installed"
containerd='batten uninstall --containerd && systemctl restart containerd'
docker='batten uninstall --docker && systemctl daemon-reload && systemctl restart containerd docker'
refused /etc/containerd/config.toml '  runtime_path = "/usr/bin/containerd-shim-batten-v2"' "$containerd"
refused /etc/containerd/conf.d/more.toml 'runtime_type = "io.containerd.batten.v2"' "$containerd"
refused /etc/containerd/config.toml 'BinaryName = "/usr/bin/batten-runc"' "$containerd"
refused /etc/docker/daemon.json '{"runtimes": {"batten": {"path": "/usr/bin/batten-runc"}}}' "$docker"
refused /etc/systemd/system/docker.service.d/batten.conf 'Environment=PATH=/etc/batten/shims:/usr/bin' "$docker"
refused /etc/containers/containers.conf.d/batten.conf 'batten-runc = ["/usr/bin/batten-runc"]' 'batten uninstall --podman'
other='take Batten out of these files, and restart the engine'
refused /etc/crio/crio.conf.d/99-batten.conf 'runtime_path = "/usr/bin/batten-runc-crio"' 'batten uninstall --crio && systemctl restart crio'
refused /etc/buildkit/buildkitd.toml 'binary = "/usr/bin/batten-runc"' "$other"
uninstall='batten uninstall --containerd --restart'
for k3s in k3s rke2; do
	refused "/var/lib/rancher/$k3s/agent/etc/containerd/config.toml.tmpl" 'BinaryName = "/usr/bin/batten-runc"' "$uninstall"
	refused "/var/lib/rancher/$k3s/agent/etc/containerd/config-v3.toml.d/zz-batten.toml" 'runtime_path = "/usr/bin/containerd-shim-batten-v2"' "$uninstall"
done
refused /etc/k0s/containerd.d/zz-batten.toml 'runtime_path = "/usr/bin/containerd-shim-batten-v2"' "$uninstall"
refused /var/snap/microk8s/current/args/containerd-template.toml 'runtime_path = "/usr/bin/containerd-shim-batten-v2"' "$uninstall"
allowed /etc/containerd/config.toml 'runtime_type = "io.containerd.runc.v2" # not /usr/bin/batten-runc'
allowed /etc/containerd/config.toml 'runtime_path = "/usr/local/bin/containerd-shim-batten-v2"'

# A process of the shim, here sleep(1) in its place, keeps the package, too.
shim=$root/usr/bin/containerd-shim-batten-v2
cp "$(command -v sleep)" "$shim"
"$shim" 600 &
running=$!
until [ "$(readlink "/proc/$running/exe")" = "$shim" ]; do sleep 0.1; done
if debian --remove batten; then fail "removed although a container runs"; fi
kill "$running"
wait "$running" 2>/dev/null || :
process=$running
running=
installed || fail "not refused, but broken, while a container runs"
grep -qF "run under Batten's shim (process $process)" "$root/out" || fail "does not name the process"
debian --remove batten || fail "refused although the container has ended"
debian --install "$deb" || fail "cannot be installed again"

printf 'runtime_path = "/usr/bin/containerd-shim-batten-v2"\n' >"$root/etc/containerd/config.toml"
BATTEN_FORCE_REMOVE=1 debian --remove batten || fail "BATTEN_FORCE_REMOVE does not remove"
debian --purge batten || fail "cannot be purged"
[ ! -e "$root/usr/sbin/batten" ] && [ ! -e "$root/etc/logrotate.d/batten" ] || fail "purge leaves files"
echo "removal: fine"
