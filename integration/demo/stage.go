package main

import (
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
)

// demo is the program, and the stage that it plays on.
type demo struct{ *node.Program }

// step says what comes next.
func step(number int, text string) {
	fmt.Printf("\n%d. %s\n", number, strings.ReplaceAll(text, "\n", "\n   "))
}

// show prints what a program said, as seen in a terminal.
func show(text string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fmt.Println("      | " + strings.TrimRight(line, "\n"))
	}
}

// promise checks that got says want.
func (d *demo) promise(what, got, want string) {
	if !strings.Contains(got, want) {
		d.Errorf("%s: got %q, want %q", what, got, want)
	}
}
