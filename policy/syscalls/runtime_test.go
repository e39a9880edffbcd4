package syscalls_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
)

func TestRuntimeOfVersion(t *testing.T) {
	for _, tc := range []struct {
		version string
		knows   map[string]bool
	}{
		{version: "2.5.4", knows: map[string]bool{"keyctl": true, "clone3": true, "futex_waitv": true, "cachestat": false, "setxattrat": false, "listns": false}},
		{version: "2.5.6", knows: map[string]bool{"setxattrat": true, "mseal": true, "listns": false}},
		{version: "2.6.0", knows: map[string]bool{"setxattrat": true, "listns": false}},
		{version: "2.6.1", knows: map[string]bool{"listns": true, "open_tree_attr": true, "usr26": true}},
		{version: "2.9.0", knows: map[string]bool{"listns": true}},
		{version: "2.5.99", knows: map[string]bool{"setxattrat": true, "listns": false}},
		{version: "2.2.0", knows: map[string]bool{"keyctl": true, "statx": false}},
		{version: "", knows: map[string]bool{"keyctl": true, "statx": false}},
		{version: "nonsense", knows: map[string]bool{"statx": false}},
	} {
		r := syscalls.RuntimeOfVersion("/usr/bin/runc", tc.version)
		for name, want := range tc.knows {
			if got := r.Knows(name); got != want {
				t.Errorf("libseccomp %q knows %s: %v, want %v", tc.version, name, got, want)
			}
		}
		if r.Knows("no_such_call") {
			t.Errorf("libseccomp %q knows no_such_call", tc.version)
		}
	}
	var none syscalls.Runtime
	if none.Judged() || !none.Knows("setxattrat") || none.Knows("no_such_call") {
		t.Error("where no runtime was looked at, Batten's own table counts")
	}
}

func TestLibseccompFor(t *testing.T) {
	for name, want := range map[string]string{"keyctl": "2.3.0", "clone3": "2.4.4", "mseal": "2.5.6", "listns": "2.6.1", "no_such_call": ""} {
		if got := syscalls.LibseccompFor(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestNamesIn(t *testing.T) {
	known := syscalls.RuntimeOfVersion("x", "2.6.1")
	var table []string
	for name := range strings.FieldsSeq("keyctl mseal " + strings.Join(profile.SyscallNames(), " ")) {
		if known.Knows(name) {
			table = append(table, name)
		}
	}
	pool := "\x7fELF\x00\x01" + "\x00" + strings.Join(table, "\x00") + "\x00\x00rest"
	got, ok := syscalls.NamesIn([]byte(pool))
	if !ok || !slices.Equal(got, table) {
		t.Errorf("got %d names, %v; want %d", len(got), ok, len(table))
	}
	for what, file := range map[string]string{
		"nothing":                         "",
		"a few names":                     "\x00keyctl\x00mseal\x00openat\x00\x01",
		"names that are a text":           strings.Join(table, " "),
		"a table of something else":       strings.Repeat("\x00sym_name", 500),
		"two tables, of which one counts": pool + pool,
	} {
		if got, ok := syscalls.NamesIn([]byte(file)); ok {
			t.Errorf("%s: got %d names", what, len(got))
		}
	}
}

const symbols = `ffffffff81000000 T __x64_sys_openat
ffffffff81000001 T __x64_sys_clone3
ffffffff81000002 T __ia32_sys_mseal
ffffffff81000003 T __x64_sys_newer_than_batten
ffffffff81000004 t __x64_sys_of_a_module	[module]
`

func TestReadCalls(t *testing.T) {
	calls, err := syscalls.ReadCalls(strings.NewReader(symbols))
	if err != nil || !calls.Probed {
		t.Fatalf("%+v, %v", calls, err)
	}
	for name, want := range map[string]bool{
		"mseal": true, "setxattrat": false, "newer_than_batten": true, "no_such_call": false, "of_a_module": false,
		"keyctl":          true, // an older call, whose entry may have another name
		"clock_gettime64": true,
	} {
		if got := calls.Has(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, empty := range []string{"", "ffffffff81000000 T do_sys_open\n", "ffffffff81000000 T __x64_sys_openat\n"} {
		calls, err := syscalls.ReadCalls(strings.NewReader(empty))
		if err != nil || calls.Probed || !calls.Has("setxattrat") || !calls.Has("no_such_call") {
			t.Errorf("%q: %+v, %v", empty, calls, err)
		}
	}
}
