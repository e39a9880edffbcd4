package manifest_test

import (
	"flag"
	"fmt"

	"github.com/batten-runtime/batten/internal/manifest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func Example() {
	objects, err := manifest.Parse("pod.yaml", []byte(`
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: nginx
    securityContext: {seccompProfile: {type: Unconfined}}
`))
	if err != nil {
		panic(err)
	}
	for _, f := range manifest.Lint(objects, manifest.Environment{}) {
		fmt.Println(f.Line, f.ID)
	}
	// Output: 8 unconfined
}
