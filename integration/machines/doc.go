// Package machines tests Batten on whole machines, emulated by qemu: Debian 12 with
// systemd, cgroup v2 and AppArmor, none of which the other suites have, and Debian 12 of
// arm64. Begin with TestDebian: it runs the commands of docs/guide/debian.md in order, and
// holds what they print to the page. TestArm64 runs Batten on arm64, and TestArm64Units
// unit tests that were compiled for it.
package machines
