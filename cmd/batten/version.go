package main

import (
	"fmt"

	"github.com/batten-runtime/batten/shim/enforce"
)

func printVersion(i *invocation) error {
	if err := i.parse(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(i.stdout, "batten", enforce.Version)
	return err
}
