package profile_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

// Conditions that do not hold for 32-bit programs are one finding for rules alike, and none
// where a rule on socketcall says the same.
func TestMultiplexed(t *testing.T) {
	const (
		head   = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [`
		socket = `{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}`
		second = `{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]}`
		one    = "syscalls[0]: 32-bit programs make socket through socketcall, of whose arguments the filter sees a pointer: there this rule denies the call whatever argument 0 is"
	)
	for _, tt := range []struct{ name, rules, want string }{
		{name: "one", rules: socket, want: one},
		{name: "two", rules: socket + "," + socket, want: one + "; so it is with another rule"},
		{name: "four", rules: strings.Join([]string{socket, socket, socket, socket}, ","), want: one + "; so it is with 3 more rules"},
		{
			name: "two sorts", rules: socket + "," + second,
			want: one + "\nsyscalls[1]: 32-bit programs make socket through socketcall, of whose arguments the filter sees a pointer: there the conditions of this rule match by accident",
		},
		{name: "socketcall is denied", rules: socket + `,{"names": ["read", "socketcall"], "action": "SCMP_ACT_ERRNO"}`},
		{name: "it is allowed", rules: socket + `,{"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"}`, want: one},
		{
			name: "it is denied with conditions", want: one,
			rules: socket + `,{"names": ["socketcall"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}`,
		},
		{name: "all of the call is denied", rules: second + `,{"names": ["socketcall"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}`},
		{
			name: "it is denied to some", want: one,
			rules: socket + `,{"names": ["socketcall"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_SYS_ADMIN"]}}`,
		},
	} {
		p, findings := profile.Parse("f", []byte(head+tt.rules+"]}"))
		if p == nil {
			t.Fatal(findings)
		}
		var got []string
		for _, f := range p.Advice() {
			if f.ID == "multiplexed" {
				got = append(got, f.Path+": "+f.Message)
			}
		}
		if text := strings.Join(got, "\n"); text != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, text, tt.want)
		}
	}
}
