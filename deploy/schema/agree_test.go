package schema

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/batten-runtime/batten/deploy/schema/schematest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compile returns a validator by one of the schemas.
func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := Text(name)
	if err != nil {
		t.Fatal(err)
	}
	return schematest.Compile(t, name, text)
}

// The parser and the schema agree on every policy in the repository: those that are
// shipped, those of the cases, and those of the documents and of the tests.
func TestRepository(t *testing.T) {
	s := compile(t, "policy")
	texts := policies(t)
	if len(texts) < 100 {
		t.Fatalf("only %d policies found", len(texts))
	}
	accepted, refused := 0, 0
	for name, text := range texts {
		read := func(file string) (string, []byte, error) {
			data, err := os.ReadFile(filepath.Join("../policies", filepath.Base(file)))
			if err != nil { // the profiles of cases are judged by TestProfiles
				data = []byte(someProfile)
			}
			return file, data, nil
		}
		_, findings := policy.Parse(name, text, read)
		switch judge(findings) {
		case accepts:
			accepted++
		case refusesShape:
			refused++
		}
		agree(t, name, s, text, findings)
	}
	t.Logf("%d accepted by both, %d refused by both, of %d", accepted, refused, len(texts))
	if accepted < 90 || refused < 3 {
		t.Errorf("%d accepted and %d refused are too few to compare", accepted, refused)
	}
}

const someProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`

var (
	yamlBlock = regexp.MustCompile("(?s)```yaml\n((?:#[^\n]*\n)*version: 1\n.*?)```")
	// goText is a string of Go in which a policy may stand.
	goText = regexp.MustCompile("(?s)`(version: 1\n[^`]*)`")
)

// policies returns the policies of the repository by where they stand.
func policies(t *testing.T) map[string][]byte {
	out := make(map[string][]byte)
	err := filepath.WalkDir("../..", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".yaml":
			if bytes.Contains(data, []byte("\nversion: 1\n")) || bytes.HasPrefix(data, []byte("version: 1\n")) {
				out[path] = data
			}
		case ".txtar":
			for _, f := range txtar.Parse(data).Files {
				if f.Name == "policy.yaml" || filepath.Ext(f.Name) == ".yaml" && bytes.Contains(f.Data, []byte("version: 1\n")) {
					out[path+":"+f.Name] = f.Data
				}
			}
		case ".md":
			for _, m := range yamlBlock.FindAllSubmatch(data, -1) {
				out[path+":"+string(m[1])] = m[1]
			}
		case ".go":
			for _, m := range goText.FindAllSubmatch(data, -1) {
				out[path+":"+string(m[1])] = m[1]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The parser and the schema agree on every profile in the repository, too.
func TestProfiles(t *testing.T) {
	s := compile(t, "profile")
	patterns := []string{"../policies/*.json", "../../policy/profile/testdata/corpus/*.json"}
	texts := make(map[string][]byte)
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = data
		}
	}
	for name, text := range texts {
		_, findings := profile.Parse(name, text)
		agree(t, name, s, text, findings)
	}
}
