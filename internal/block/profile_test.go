package block_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What libseccomp makes of a block denies its calls, to 32-bit programs through socketcall and ipc,
// too, whatever their arguments, and beside calls that one of the ABIs lacks.
func TestProgram(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the calls are amd64's and i386's")
	}
	const amd64, i386 = unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386
	for _, tt := range []struct {
		texts []string
		call  filter.Call
	}{
		{[]string{"socket(AF_NETLINK, *, 12)"}, filter.Call{Arch: i386, Nr: 102, Args: [6]uint64{1, 0xffffd000, 0}}},
		{[]string{"socket(AF_NETLINK, *, 12)"}, filter.Call{Arch: amd64, Nr: 41, Args: [6]uint64{16, 3, 12}}},
		{[]string{"umount", "clone(CLONE_NEWUSER)"}, filter.Call{Arch: amd64, Nr: 56, Args: [6]uint64{0x10000011}}},
		{[]string{"socketcall", "socket(AF_ALG)"}, filter.Call{Arch: amd64, Nr: 41, Args: [6]uint64{38}}},
		{[]string{"accept", "socketcall"}, filter.Call{Arch: i386, Nr: 102, Args: [6]uint64{5}}},
		{[]string{"shmctl(5, 7)"}, filter.Call{Arch: amd64, Nr: 31, Args: [6]uint64{5, 7}}},
		{[]string{"shmctl(5, 7)"}, filter.Call{Arch: i386, Nr: 117, Args: [6]uint64{24, 6}}},
		{[]string{"ipc(21)"}, filter.Call{Arch: i386, Nr: 117, Args: [6]uint64{0x10015}}},
	} {
		b, err := block.New("", parse(t, tt.texts...), 0)
		if err != nil {
			t.Fatal(err)
		}
		s := b.Profile()
		program, err := filter.Compile(&s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := program.Run(tt.call); err != nil || got.String() != "ERRNO(EPERM)" {
			t.Errorf("%q: %+v: %v, %v", tt.texts, tt.call, got, err)
		}
		if got, err := program.Run(filter.Call{Arch: tt.call.Arch, Nr: tt.call.Nr}); (err != nil || got.String() != "ALLOW") && tt.texts[0] != "accept" {
			t.Errorf("%q: other arguments: %v, %v", tt.texts, got, err)
		}
	}
}

// Calls that i386 has through a multiplexer alone are refused where libseccomp would deny none.
func TestIllegible(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("socketcall and ipc are i386's")
	}
	for _, texts := range [][]string{{"accept"}, {"socket(AF_ALG)", "accept"}, {"semop"}} {
		if _, err := block.New("", parse(t, texts...), 0); err == nil {
			t.Errorf("%q: no error", texts)
		}
	}
	if _, err := block.New("", parse(t, "accept", "bpf"), 0); err != nil {
		t.Error(err)
	}
}

// What i386 has a multiplexer for is in the drop-in, which is for every machine, and not in the filter
// of an arm64, which has none: there the rule on it would be the first, and no other would match.
func TestElsewhere(t *testing.T) {
	b, err := block.New("", parse(t, "socket(AF_NETLINK, *, 12)", "shmctl(5, 7)"), 0)
	if err != nil {
		t.Fatal(err)
	}
	b.Architectures = []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	if s := b.Profile(); len(s.Syscalls) != 2 || !slices.Equal(s.Architectures, b.Architectures) {
		t.Errorf("on arm64: %+v", s)
	}
	text, err := b.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"socketcall"`, `"ipc"`, `"SCMP_ARCH_X86"`, `"SCMP_ARCH_ARM"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the drop-in lacks %s:\n%s", want, text)
		}
	}
}
