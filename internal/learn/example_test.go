package learn_test

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/batten-runtime/batten/internal/learn"
)

// A command is run and recorded to its end.
func Example() {
	s, err := learn.Open(learn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.Command(context.Background(), exec.Command("true")); err != nil {
		fmt.Println(err)
	}
	r, err := s.Close()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(r.Containers), r.Containers[0].Start, r.Containers[0].Ended)
	// Output: 1 true true
}
