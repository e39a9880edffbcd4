package policy

import (
	"strings"

	"github.com/batten-runtime/batten/policy/decode"
	"github.com/batten-runtime/batten/policy/document"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// number reads a number, or words joined by |, as an argument of calls has them.
func number(n document.Node, names []string, c specs.LinuxSeccompArg) (bits uint64) {
	if !n.IsString() {
		return n.Uint(64)
	}
	var taken uint64 // by words of the first name
	for word := range strings.SplitSeq(n.String(), "|") {
		word = strings.TrimSpace(word)
		for i, name := range names {
			v, ok := decode.Word(name, int(c.Index), word)
			if !ok {
				known := decode.Words(name, int(c.Index))
				n.Errorf("%q is no word for argument %d of %s%s; write a number", word, c.Index, name, document.Suggest(word, known))
				return 0
			}
			switch compares := !v.Exact && c.Op == specs.OpEqualTo && i == 0; {
			case i == 0 && v.Clashes(taken):
				n.Errorf("%q stands in the same bits as a word before it, so nothing is both: write a rule for each", word)
			case compares && v.Mask == v.Bits:
				n.Warnf("%s is a flag, and %s compares all flags together: write op %s with the flag as value and valueTwo where others may be set", word, c.Op, specs.OpMaskedEqual)
			case compares:
				n.Warnf("%s may have flags beside it, and %s compares them, too: write op %s with value %#x and valueTwo %[1]s", word, c.Op, specs.OpMaskedEqual, v.Mask)
			}
			if i == 0 {
				taken |= v.Mask
			}
			bits |= v.Bits
		}
	}
	return bits
}
