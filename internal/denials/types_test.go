package denials_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
)

// flagsAt is where struct seccomp_notif_resp has its flags (linux/seccomp.h).
const flagsAt = 20

// What answers while enforcing has no field that could hold SECCOMP_USER_NOTIF_FLAG_CONTINUE.
func TestRefusalHasNoFlags(t *testing.T) {
	found := false
	for i := range denials.Refusal.NumField() {
		f := denials.Refusal.Field(i)
		if f.Offset <= flagsAt && flagsAt < f.Offset+f.Type.Size() {
			found = true
			if f.Name != "_" || f.Offset != flagsAt {
				t.Errorf("field %q at %d can be set", f.Name, f.Offset)
			}
		}
	}
	if !found {
		t.Error("the type ends before the flags")
	}
}

// Only one function of the package names the flag or sends anything but a refusal, and only
// auditing calls it; only Listen makes an auditing, where LetThrough is set.
func TestWhoLetsThrough(t *testing.T) {
	uses := make(map[string][]string) // by name, the functions that use it
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			where := "declarations"
			if f, ok := d.(*ast.FuncDecl); ok {
				where = f.Name.Name
				if f.Recv != nil {
					where = receiver(f) + "." + where
				}
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && !slices.Contains(uses[id.Name], where) {
					uses[id.Name] = append(uses[id.Name], where)
				}
				return true
			})
		}
	}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{name: "SECCOMP_USER_NOTIF_FLAG_CONTINUE", want: []string{"letThrough"}},
		{name: "letThrough", want: []string{"auditing.answer", "letThrough"}},
		{name: "passage", want: []string{"declarations", "letThrough"}},
		{name: "SECCOMP_IOCTL_NOTIF_SEND", want: []string{"letThrough", "refuse"}},
		{name: "refuse", want: []string{"enforcing.answer", "refuse"}},
		{name: "SECCOMP_IOCTL_NOTIF_ADDFD"},
	} {
		slices.Sort(uses[tt.name])
		if !slices.Equal(uses[tt.name], tt.want) {
			t.Errorf("%s is used by %q, want %q", tt.name, uses[tt.name], tt.want)
		}
	}
	for _, where := range uses["auditing"] {
		if where != "declarations" && where != "Listen" && !strings.HasPrefix(where, "auditing.") {
			t.Errorf("%s uses auditing", where)
		}
	}
}

func receiver(f *ast.FuncDecl) string {
	switch t := f.Recv.List[0].Type.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.StarExpr:
		return t.X.(*ast.Ident).Name
	}
	return ""
}
