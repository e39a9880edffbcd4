#!/bin/sh
# Makes a release into dist/: builds it twice from a clean tree and compares.
#
#   release.sh VERSION
#
# VERSION is vMAJOR.MINOR.PATCH, has a section in CHANGELOG.md, and is the tag of
# the commit that is checked out.
set -eu

version=${1:?a version such as v1.2.3}
cd "$(dirname "$0")/../.."

fail() {
	echo "release: $*" >&2
	exit 1
}

echo "$version" | grep -Eq '^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$' || fail "version \"$version\" is not vMAJOR.MINOR.PATCH"
grep -Fq "## ${version#v}" CHANGELOG.md || fail "CHANGELOG.md has no section \"## ${version#v}\"; rename Unreleased"
[ -z "$(git status --porcelain)" ] || fail "the tree has changes that are not committed"
[ "$(git tag --points-at HEAD --list "$version")" = "$version" ] || fail "this commit is not tagged $version"
second=$(mktemp -d)
trap 'rm -rf "$second"' EXIT
rm -rf dist
tools/dist/build.sh "$version" dist
tools/dist/build.sh "$version" "$second"
diff dist/SHA256SUMS "$second/SHA256SUMS" || fail "two builds of $version differ"
echo "release: $version is in dist/, built twice with the same bytes"
