package called_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/called"
	"github.com/batten-runtime/batten/spec"
)

func ExampleOf() {
	config, err := spec.Parse([]byte(`{"annotations": {
		"io.kubernetes.cri-o.ContainerType": "container",
		"io.kubernetes.pod.namespace": "shop",
		"io.kubernetes.pod.name": "web-0",
		"io.kubernetes.container.name": "nginx"
	}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	c := called.Of("/run/bundle", "0123", config)
	fmt.Println(c.PodNamespace, c.PodName, c.Name)
	// Output: shop web-0 nginx
}
