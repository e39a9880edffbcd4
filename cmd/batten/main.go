// Command batten is the operator's side of Batten: it checks the node policy,
// says what it decides, and shows what was decided.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
