package tighten

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/policy/bpf"
)

// NotesDir is where [Note] keeps its files, below the records.
const NotesDir = "tightened"

// Note notes in a directory of records that a filter is put on running processes, and why. A
// program can install a filter of its own, too, which a program that is started in the container
// later does not have; by the note batten status tells them apart.
func Note(records string, code []bpf.Instruction, why string) error {
	return atomicfile.Write(noteOf(records, code), fmt.Appendf(nil, "%s %s\n", time.Now().UTC().Format(time.RFC3339), why))
}

// Noted reports whether a filter was noted since the machine started.
func Noted(records string, code []bpf.Instruction) bool {
	_, err := os.Stat(noteOf(records, code))
	return err == nil
}

// Reasons returns why filters were noted since the machine started.
func Reasons(records string) (out []string) {
	notes, _ := filepath.Glob(filepath.Join(records, NotesDir, "*"))
	for _, path := range notes {
		data, _ := os.ReadFile(path)
		_, why, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
		out = append(out, why)
	}
	return out
}

func noteOf(records string, code []bpf.Instruction) string {
	sum := sha256.Sum256(bpf.Encode(code))
	return filepath.Join(records, NotesDir, hex.EncodeToString(sum[:]))
}
