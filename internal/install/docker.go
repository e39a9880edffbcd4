package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// DefaultDocker is dockerd's configuration.
const DefaultDocker = "/etc/docker/daemon.json"

// Docker plans a runtime of Docker Engine: Batten's shim where dockerd knows
// shims, which is from 23.0 on, and batten-runc before.
func Docker(o Options) (*Plan, error) {
	if err := o.complete("docker", shortName, DefaultDocker); err != nil {
		return nil, err
	}
	p := &Plan{Target: "docker", File: o.Config}
	var err error
	if p.Before, p.now, err = base(o.Dir, p.Target, o.Config, "", takeOutJSON); err != nil {
		return nil, err
	}
	text := p.Before
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}")
	}
	if err := object(text); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Config, err)
	}
	if gjson.GetBytes(text, "runtimes."+o.Handler).Exists() {
		return nil, fmt.Errorf("%s: there is a runtime %q already; choose another name with --handler", o.Config, o.Handler)
	}
	former := gjson.GetBytes(text, "default-runtime")
	p.state = &state{Handler: o.Handler, Default: o.Default, Former: former.Raw, AllRuntimes: o.AllRuntimes}
	modern := dockerValidates()
	runtime := map[string]string{"path": filepath.Join(o.Bin, names.Wrapper)}
	switch {
	case !modern && o.NoRuntime != nil:
		return nil, fmt.Errorf("batten-runc would refuse: %w", o.NoRuntime)
	case !modern && o.AllRuntimes: // the shim is Batten's: batten-runc would decide a second time
		runtime["path"] = o.Runtime
	}
	if modern {
		runtime = map[string]string{"runtimeType": names.RuntimeType}
		p.Notes = append(p.Notes, fmt.Sprintf("the containerd that dockerd uses must find %s on its PATH", names.Shim))
	}
	if text, err = sjson.SetBytes(text, "runtimes."+o.Handler, runtime); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Config, err)
	}
	if o.Default {
		if text, err = sjson.SetBytes(text, "default-runtime", o.Handler); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Config, err)
		}
	}
	if p.After, err = indented(text, p.Before); err != nil {
		return nil, err
	}
	switch {
	case !modern:
	case checkDocker(p.File, p.now) != nil: // for a reason that is not ours
		p.Notes = append(p.Notes, "dockerd --validate does not accept the configuration as it was, so that it cannot say whether it does now")
	default:
		p.check = func() error { return checkDocker(p.File, p.After) }
	}
	p.Notes = append(p.Notes, "restart dockerd for it to take effect; existing containers keep their runtime",
		"BuildKit's RUN steps use no configured runtime: docs/guide/engines.md says what to do about them")
	return p, nil
}

// object checks that text is one JSON object in which no key of ours is written
// twice: of those dockerd takes the last, and an edit the first.
func object(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("is no JSON object: %w", err)
	}
	seen := map[string]bool{}
	var twice string
	gjson.ParseBytes(text).ForEach(func(key, value gjson.Result) bool {
		if seen[key.Str] {
			twice = key.Str
		}
		seen[key.Str] = true
		return true
	})
	if twice != "" {
		return fmt.Errorf("has the key %q twice; remove one", twice)
	}
	if r := gjson.GetBytes(text, "runtimes"); r.Exists() && !r.IsObject() {
		return fmt.Errorf("its runtimes are no object")
	}
	return nil
}

// indented is JSON with line breaks, indented as like is.
func indented(text, like []byte) ([]byte, error) {
	indent := "  "
	for _, line := range bytes.Split(like, []byte("\n")) {
		if trimmed := bytes.TrimLeft(line, " \t"); len(trimmed) > 0 && len(trimmed) < len(line) {
			indent = string(line[:len(line)-len(trimmed)])
			break
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(text), "", indent); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// takeOutJSON takes out of a changed configuration what Docker put in.
func takeOutJSON(s *state, text []byte) (out []byte, err error) {
	if err := object(text); err != nil {
		return nil, err
	}
	out = text
	if out, err = sjson.DeleteBytes(out, "runtimes."+s.Handler); err != nil {
		return nil, err
	}
	if r := gjson.GetBytes(out, "runtimes"); r.IsObject() && len(r.Map()) == 0 && !gjson.GetBytes(s.Before, "runtimes").Exists() {
		if out, err = sjson.DeleteBytes(out, "runtimes"); err != nil {
			return nil, err
		}
	}
	if s.Default && gjson.GetBytes(out, "default-runtime").Str == s.Handler {
		if s.Former != "" {
			out, err = sjson.SetRawBytes(out, "default-runtime", []byte(s.Former))
		} else {
			out, err = sjson.DeleteBytes(out, "default-runtime")
		}
		if err != nil {
			return nil, err
		}
	}
	if bytes.Equal(out, text) { // nothing of Batten was in it
		return text, nil
	}
	return indented(out, text)
}

// dockerValidates reports whether dockerd can check a configuration, which came
// in 23.0, as runtimeType did.
func dockerValidates() bool {
	out, err := exec.Command("dockerd", "--help").CombinedOutput()
	return err == nil && bytes.Contains(out, []byte("--validate"))
}

// checkDocker has dockerd check a configuration, which is, or will be, in file.
func checkDocker(file string, text []byte) error {
	if text == nil {
		text = []byte("{}")
	}
	f, err := os.CreateTemp("", "daemon-*.json")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	out, err := exec.Command("dockerd", "--validate", "--config-file", f.Name()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("dockerd --validate: %w: %s", err, strings.ReplaceAll(strings.TrimSpace(string(out)), f.Name(), file))
	}
	return nil
}

// DockerHosts returns the addresses that a configuration has dockerd listen at.
func DockerHosts(config string) (hosts []string) {
	text, _ := read(config)
	for _, host := range gjson.GetBytes(text, "hosts").Array() {
		hosts = append(hosts, host.Str)
	}
	return hosts
}

// DockerRoot returns the directory in which dockerd keeps its containers, as a
// configuration has it.
func DockerRoot(config string) string {
	text, _ := read(config)
	for _, key := range []string{"data-root", "graph"} {
		if root := gjson.GetBytes(text, key).Str; root != "" {
			return root
		}
	}
	return "/var/lib/docker"
}
