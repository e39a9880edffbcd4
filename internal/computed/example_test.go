package computed_test

import (
	"fmt"
	"os"

	"github.com/batten-runtime/batten/internal/computed"
)

func ExampleDir() {
	records, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(records)
	d := computed.In(records)
	d.Put("floor of two profiles", []byte("{}"))
	fmt.Printf("%s\n", d.Get("floor of two profiles"))
	// Output: {}
}
