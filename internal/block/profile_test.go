package block_test

import (
	"runtime"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/policy/filter"
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
