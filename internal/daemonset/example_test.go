package daemonset_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/daemonset"
)

// Nodes on which pods of the RuntimeClass can start have the label.
func Example() {
	fmt.Println("kubectl get nodes -l", daemonset.Label+"=batten")
	// Output: kubectl get nodes -l batten-runtime.github.io/handler=batten
}
