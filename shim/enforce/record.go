package enforce

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/policy"
)

// DefaultRecords is the directory of records. /run is empty after a reboot,
// as are the containers.
const DefaultRecords = "/run/batten"

// None stands for the digest of linux.seccomp where there is none.
const None = "none"

// Record is what was decided for one container, kept while it exists.
type Record struct {
	Time                time.Time `json:"time"`
	ContainerdNamespace string    `json:"containerdNamespace"`
	ID                  string    `json:"id"`
	Bundle              string    `json:"bundle"`
	// Call is set where batten-runc made it.
	Call *Call `json:"call,omitempty"`
	policy.Identity
	// Runtime is the OCI runtime's binary as it was named.
	Runtime string `json:"runtime"`
	// Policy and PolicyDigest are the file and the SHA-256 of its bytes; Rule
	// the name of the rule that decided, empty for the top level.
	Policy       string      `json:"policy"`
	PolicyDigest string      `json:"policyDigest"`
	Rule         string      `json:"rule,omitempty"`
	Mode         policy.Mode `json:"mode"`
	// Asked is the SHA-256 of the linux.seccomp that the container brought, or
	// None; Result that of what it was started under.
	Asked  string `json:"asked"`
	Result string `json:"result"`
	// Base is what was decided to run under before the floor: a word or a
	// profile's name of the policy, or Keep for what the container brought;
	// Floor the policy's word or name for the floor, empty for none. Their
	// digests are of the linux.seccomp that they were for this container.
	Base        string `json:"base,omitempty"`
	BaseDigest  string `json:"baseDigest,omitempty"`
	Floor       string `json:"floor,omitempty"`
	FloorDigest string `json:"floorDigest,omitempty"`
	// Question, Word and Verdict are the decision; Reason is a sentence.
	Question string         `json:"question"`
	Word     string         `json:"word"`
	Verdict  policy.Verdict `json:"verdict"`
	Reason   string         `json:"reason"`
	// Notes say what else to know: ABIs left out, what a floor gave up, a restore.
	Notes []string `json:"notes,omitempty"`
	// Pid is the container's first process, StartTime when it began in clock
	// ticks since boot (proc_pid_stat(5)); 0 until the runtime has made it.
	Pid         int         `json:"pid"`
	StartTime   uint64      `json:"startTime"`
	Attestation Attestation `json:"attestation"`
}

// Call is a call of an OCI runtime by its command line.
type Call struct {
	// Owner names the directory of the record: each --root has one.
	Owner string `json:"owner"`
	// Globals are the flags before the subcommand, with which the runtime
	// knows the container.
	Globals []string `json:"globals,omitempty"`
	// PidFile is where the runtime writes the first process's number; empty
	// where nobody asked for that.
	PidFile string `json:"pidFile,omitempty"`
}

// Owner is whose container it is: the containerd namespace, or for batten-runc a
// name for the runtime's --root.
func (r *Record) Owner() string {
	if r.Call != nil {
		return r.Call.Owner
	}
	return r.ContainerdNamespace
}

// Records is a directory of records.
type Records struct{ Dir string }

// path is the file of one container. Both names must be plain: containerd
// checks that they are, other engines may not.
func (r Records) path(owner, id string) (string, error) {
	for _, name := range []string{owner, id} {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return "", fmt.Errorf("%q cannot be a containerd namespace or container id", name)
		}
	}
	return filepath.Join(r.Dir, owner, id+".json"), nil
}

// Write puts a record in place of the one that the container had, whole or
// not at all.
func (r Records) Write(rec *Record) error {
	path, err := r.path(rec.Owner(), rec.ID)
	if err != nil {
		return err
	}
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

// unfinished begins the names of the temporary files of a file. It is of one length
// for all, so that a name that the file system takes is taken here too.
func unfinished(path string) string {
	sum := sha256.Sum256([]byte(filepath.Base(path)))
	return ".new-" + hex.EncodeToString(sum[:8]) + "-"
}

// writeFile writes a file of root's own by way of a temporary one.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, unfinished(path)+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Read returns the record of one container; fs.ErrNotExist if there is none.
func (r Records) Read(owner, id string) (*Record, error) {
	path, err := r.path(owner, id)
	if err != nil {
		return nil, err
	}
	return readRecord(path)
}

func readRecord(path string) (*Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rec := new(Record)
	if err := json.Unmarshal(data, rec); err != nil {
		return nil, fmt.Errorf("record %q: %w", path, err)
	}
	return rec, nil
}

// Remove forgets one container. That there is no record is not an error.
func (r Records) Remove(owner, id string) error {
	path, err := r.path(owner, id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Whoever was killed while writing it left this behind.
	dir := filepath.Dir(path)
	if entries, err := os.ReadDir(dir); err == nil {
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), unfinished(path)) {
				_ = os.Remove(filepath.Join(dir, e.Name()))
			}
		}
	}
	// The last one of an owner takes the directory along.
	_ = os.Remove(dir)
	return nil
}
