package filter_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	libseccomp "github.com/seccomp/libseccomp-golang"
)

// The names that are read out of the library's file are those that it knows, and
// their numbers are Batten's.
func TestNamesInTheLinkedLibrary(t *testing.T) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	path := string(regexp.MustCompile(`/\S*libseccomp\.so\S*`).Find(maps))
	if path == "" {
		t.Skip("libseccomp is built in")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names, ok := syscalls.NamesIn(file)
	if !ok {
		t.Fatalf("no table of names in %s", path)
	}
	r := syscalls.RuntimeOfNames(path, "", names)
	lacks := 0
	for _, name := range append(profile.SyscallNames(), "no_such_call", "usr26", "get_tls") {
		_, err := libseccomp.GetSyscallFromName(name)
		if known := err == nil; known != r.Knows(name) {
			t.Errorf("%s: libseccomp knows it: %v; the file says %v", name, known, r.Knows(name))
		}
		if err != nil {
			lacks++
		}
	}
	t.Logf("%d names, %d of Batten's unknown", len(names), lacks)
}
