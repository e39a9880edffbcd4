package suggest

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// syscalls writes one entry of syscalls.
func (y *writer) syscalls(indent string, r specs.LinuxSyscall) {
	y.list(indent, "- names", r.Names)
	y.line(indent+"  ", "action: %s", r.Action)
	if r.ErrnoRet != nil {
		y.line(indent+"  ", "errnoRet: %d", *r.ErrnoRet)
	}
	var args []string
	for _, a := range r.Args {
		two := ""
		if a.ValueTwo != 0 {
			two = fmt.Sprintf(", valueTwo: %d", a.ValueTwo)
		}
		args = append(args, fmt.Sprintf("{index: %d, value: %d%s, op: %s}", a.Index, a.Value, two, a.Op))
	}
	if len(args) > 0 {
		y.line(indent+"  ", "args: [%s]", strings.Join(args, ", "))
	}
}

// wide is how long lines of names get.
const wide = 100

// list writes a list of words in brackets, over several lines if it is long.
func (y *writer) list(indent, key string, words []string) {
	line := key + ": ["
	deeper := indent + "    "
	first := indent
	for i, word := range words {
		text := plain(word)
		if i < len(words)-1 {
			text += ","
		}
		if len(first)+len(line)+len(text)+1 > wide {
			y.line(first, "%s", line)
			line, first = "", deeper
		}
		if line != "" && !strings.HasSuffix(line, "[") {
			line += " "
		}
		line += text
	}
	y.line(first, "%s]", line)
}

// plain returns a word as YAML has it.
func plain(word string) string {
	for _, r := range word {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return strconv.Quote(word)
		}
	}
	if word == "" || word[0] >= '0' && word[0] <= '9' {
		return strconv.Quote(word)
	}
	return word
}

func texts[T ~string](all []T) (out []string) {
	for _, v := range all {
		out = append(out, string(v))
	}
	return out
}
