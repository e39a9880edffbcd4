package decode_test

import (
	"fmt"

	"github.com/batten-runtime/batten/policy/decode"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleCall() {
	fmt.Println(decode.Call(specs.ArchX86_64, "unshare", [6]uint64{0x10020000}, nil))
	fmt.Println(decode.Call(specs.ArchX86_64, "socket", [6]uint64{40, 1}, nil))
	// Output:
	// unshare(CLONE_NEWNS|CLONE_NEWUSER)
	// socket(AF_VSOCK, SOCK_STREAM, 0)
}
