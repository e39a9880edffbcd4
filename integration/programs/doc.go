// Package programs has Debian's programs that tests run in containers, and what each is to do.
// integration/engines/build.sh unpacks them.
//
// Call [Installed] first, and then [Set.Spec] for each of its programs.
package programs
