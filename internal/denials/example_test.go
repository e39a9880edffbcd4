package denials_test

import (
	"fmt"
	"os"

	"github.com/batten-runtime/batten/internal/denials"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What the shim has counted, and the operator's commands read.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store := denials.Store{Dir: dir}
	err = store.Write(&denials.Counts{Owner: "k8s.io", ID: "web", Denials: []denials.Denial{
		{Kind: denials.Kind{Arch: specs.ArchX86_64, Syscall: "keyctl", Action: specs.ActErrno, Errno: 1}, Count: 3},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	all, err := store.List()
	for _, c := range all {
		for _, d := range c.Denials {
			fmt.Println(c.ID, d.Syscall, d.Count)
		}
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output: web keyctl 3
}
