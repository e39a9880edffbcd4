package record_test

import (
	"fmt"
	"os"
	"time"

	"github.com/batten-runtime/batten/internal/record"
)

func Example() {
	dir, err := os.MkdirTemp("", "records")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s := record.Store{Dir: dir}
	err = s.Write(&record.Record{ContainerdNamespace: "k8s.io", ID: "web", Bundle: dir, Time: time.Now(), Rule: "tenants"})
	if err != nil {
		fmt.Println(err)
		return
	}
	all, err := s.List()
	fmt.Println(len(all), all[0].Rule, err)
	// Output:
	// 1 tenants <nil>
}
