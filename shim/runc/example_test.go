package runc_test

import (
	"fmt"

	"github.com/batten-runtime/batten/shim/runc"
)

func Example() {
	// What both runtimes read alike, and what only one reads.
	call, err := runc.Parse([]string{"--root", "/run/x", "create", "--bundle", "/b", "web"}, "/usr/sbin/runc")
	fmt.Println(call.Bundle, call.ID, err)
	_, err = runc.Parse([]string{"create", "-b=/b", "web"}, "/opt/other")
	fmt.Println(err)
	// Output:
	// /b web <nil>
	// create: flag "-b=/b" is read in different ways by runtimes; write --name=value
}
