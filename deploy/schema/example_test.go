package schema_test

import (
	"encoding/json"
	"fmt"

	"github.com/batten-runtime/batten/deploy/schema"
)

func ExampleText() {
	text, err := schema.Text("policy")
	fmt.Println(json.Valid(text), err)
	_, err = schema.Text("polcy")
	fmt.Println(err)
	// Output:
	// true <nil>
	// unknown schema "polcy"
}
