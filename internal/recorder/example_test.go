package recorder_test

import (
	"fmt"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
)

// Whatever is started in a mount namespace of its own is recorded until somebody says that it is
// of no interest.
func Example() {
	r, err := recorder.Open(recorder.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close() // nothing is left to do
	n, err := r.Next(time.Now().Add(time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	calls, err := r.Calls(n.Tag)
	fmt.Println(len(calls), err)
}
