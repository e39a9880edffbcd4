package profile_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/profile"
)

func Example() {
	p, findings := profile.Parse("no-keyring.json", []byte(`{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    {"names": ["keyctl", "ad_key"], "action": "SCMP_ACT_ERRNO"}
  ]
}`))
	for _, f := range findings {
		fmt.Println(f)
	}
	fmt.Println(string(profile.Encode(p.Resolve(profile.Target{}))))
	// Output:
	// profile "no-keyring.json":4:5: warning: syscalls[0]: unknown syscall "ad_key": runtimes skip it, so the rule denies nothing by that name; did you mean "add_key"?
	// {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl","ad_key"],"action":"SCMP_ACT_ERRNO"}]}
}
