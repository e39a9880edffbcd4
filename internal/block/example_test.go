package block_test

import (
	"fmt"

	"github.com/batten-runtime/batten/internal/block"
)

func Example() {
	c, err := block.Parse("socket(AF_ALG)")
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := block.New("", []block.Call{c}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := b.Profile().Syscalls[0]
	fmt.Println(b.Name, rule.Names, rule.Action, rule.Args)
	// Output: block-socket-af-alg [socket] SCMP_ACT_ERRNO [{0 4294967295 38 SCMP_CMP_MASKED_EQ}]
}
