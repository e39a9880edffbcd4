package profile_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// crunKey is what crun 1.14 to 1.29 hashes of a profile: calculate_seccomp_checksum
// of src/libcrun/seccomp.c, without what is the same for all profiles of a node in
// front. It reads the JSON as crun's parser does, which knows whether a member is
// there, and ends strings at their first NUL.
func crunKey(data []byte) []byte {
	var s struct {
		DefaultAction   string
		DefaultErrnoRet uint32
		Flags           []string
		Architectures   []string
		Syscalls        []struct {
			Action string
			Names  []string
			Args   []struct {
				Index           *uint32
				Value, ValueTwo *uint64
				Op              string
			}
		}
	}
	if err := json.Unmarshal(data, &s); err != nil {
		panic(err)
	}
	var key bytes.Buffer
	text := func(list ...string) {
		for _, v := range list {
			v, _, _ = strings.Cut(v, "\x00")
			key.WriteString(v)
		}
	}
	word := func(v uint32) { key.Write(binary.NativeEndian.AppendUint32(nil, v)) }
	long := func(v *uint64) {
		if v != nil {
			key.Write(binary.NativeEndian.AppendUint64(nil, *v))
		}
	}
	word(s.DefaultErrnoRet)
	text(s.DefaultAction)
	text(s.Flags...)
	text(s.Architectures...)
	for _, rule := range s.Syscalls {
		text(rule.Action)
		text(rule.Names...)
		for _, a := range rule.Args {
			if a.Index != nil {
				word(*a.Index)
			}
			long(a.Value)
			long(a.ValueTwo)
			text(a.Op)
		}
	}
	return key.Bytes()
}

// checkKeys fails if two profiles that differ have one key after Seal.
func checkKeys(t *testing.T, a, b specs.LinuxSeccomp) {
	t.Helper()
	first, second := profile.Encode(profile.Seal(a)), profile.Encode(profile.Seal(b))
	sealed, digest := profile.EncodeSealed(a)
	if want := sha256.Sum256(profile.Encode(profile.Unseal(a))); !bytes.Equal(sealed, first) || digest != want {
		t.Errorf("EncodeSealed says %x and\n%s\nwant %x and\n%s", digest, sealed, want, first)
	}
	if bytes.Equal(first, second) != bytes.Equal(crunKey(first), crunKey(second)) {
		t.Errorf("one key for\n%s\nand\n%s", first, second)
	}
}

// A profile without rules has a seal, too.
func TestEncodeSealedOfNoRules(t *testing.T) {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	checkKeys(t, s, profile.Seal(s))
	s.Architectures, s.Flags = []specs.Arch{specs.ArchX86_64}, []specs.LinuxSeccompFlag{}
	checkKeys(t, s, profile.Seal(s))
}

func TestSealedKeysDiffer(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	shared := 0
	for range 3000 {
		a := filtertest.Profile(r)
		b := filtertest.Mutant(r, a)
		if r.IntN(2) == 0 {
			b = split(r, a)
		}
		first, second := profile.Encode(a), profile.Encode(b)
		if !bytes.Equal(first, second) && bytes.Equal(crunKey(first), crunKey(second)) {
			shared++
		}
		checkKeys(t, a, b)
		checkKeys(t, a, profile.Seal(b))
		checkKeys(t, a, forge(r, a, b))
	}
	if shared < 100 {
		t.Errorf("only %d pairs share a key without Seal: the others prove nothing", shared)
	}
}

func TestSeal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		s := filtertest.Profile(r)
		before := string(profile.Encode(s))
		sealed := profile.Seal(s)
		if again := profile.Seal(sealed); !reflect.DeepEqual(again, sealed) {
			t.Errorf("sealed twice:\n%s\nand\n%s", encoded(sealed), encoded(again))
		}
		decoded, err := profile.Decode(profile.Encode(sealed))
		if err != nil || encoded(profile.Seal(*decoded)) != encoded(sealed) {
			t.Errorf("another seal after a round trip: %v", err)
		}
		if got := string(profile.Encode(profile.Unseal(sealed))); got != before || string(profile.Encode(s)) != before {
			t.Errorf("got %s, want %s", got, before)
		}
	}
	def := profile.RuntimeDefault(nil)
	sealed := profile.Seal(def)
	if n := len(sealed.Syscalls[len(sealed.Syscalls)-1].Names[0]); n != len("batten-profile-sha256-")+64 {
		t.Errorf("the name has %d bytes", n)
	}
	looser := sealed
	looser.DefaultAction = specs.ActAllow
	if got := profile.Unseal(looser); len(got.Syscalls) != len(sealed.Syscalls) {
		t.Error("a seal of another profile was taken off")
	}
}

// The rule changes nothing in what libseccomp compiles as runc has it do.
func TestSealCompilesAway(t *testing.T) {
	for name, s := range filtertest.Corpus(t) {
		want, err := filter.Compile(&s)
		if err != nil {
			continue
		}
		sealed := profile.Seal(s)
		got, err := filter.Compile(&sealed)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if equal, err := filter.Diff(filter.Stack{want}, filter.Stack{got}); err != nil || len(equal) > 0 {
			t.Errorf("%s: %v %v", name, equal, err)
		}
	}
}

func encoded(s specs.LinuxSeccomp) string { return string(profile.Encode(s)) }

// Two profiles that differ in the listener alone have one filter, and one seal.
func TestSealOfListeners(t *testing.T) {
	of := func(path, metadata, call string) string {
		s := specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, ListenerPath: path, ListenerMetadata: metadata,
			Syscalls: []specs.LinuxSyscall{{Names: []string{call}, Action: specs.ActNotify}},
		}
		sealed := profile.Seal(s)
		if got, digest := profile.EncodeSealed(s); string(got) != encoded(sealed) || digest != sha256.Sum256(profile.Encode(s)) {
			t.Errorf("%s and %x, want %s", got, digest, encoded(sealed))
		}
		if bare := profile.Unseal(sealed); encoded(bare) != encoded(s) {
			t.Errorf("unsealed: %s", encoded(bare))
		}
		return sealed.Syscalls[len(sealed.Syscalls)-1].Names[0]
	}
	if a, b := of("/run/a.sock", "", "bpf"), of("/run/b.sock", "x", "bpf"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := of("/run/a.sock", "", "bpf"), of("/run/a.sock", "", "mount"); a == b {
		t.Errorf("two filters have the seal %s", a)
	}
}
