package spec_test

import (
	"fmt"

	"github.com/batten-runtime/batten/spec"
)

func Example() {
	s, err := spec.Parse([]byte(`{"process": {"args": ["sh"]}, "linux": {"namespaces": []}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("asks for a filter:", s.Seccomp != nil)
	fmt.Printf("%s\n", s.Splice([]byte(`{"defaultAction":"SCMP_ACT_ERRNO"}`)))
	// Output:
	// asks for a filter: false
	// {"process": {"args": ["sh"]}, "linux": {"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"},"namespaces": []}}
}
