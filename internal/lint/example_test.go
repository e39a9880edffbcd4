package lint_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

func ExampleLinter_Files() {
	profile := `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["unmount"], "action": "SCMP_ACT_ERRNO"}]}`
	report, err := lint.Linter{Engine: reader.Containerd}.Files([]lint.File{{Name: "no-mount.json", Data: []byte(profile)}})
	if err != nil {
		panic(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f.Finding)
	}
	// Output:
	// profile "no-mount.json":1:89: warning: syscalls[0]: unknown syscall "unmount": runtimes skip it, so the rule denies nothing by that name; did you mean "umount"?
}
