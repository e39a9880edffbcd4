package policy_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/syscalls"
)

// podRequest returns the request of a pod's container.
func podRequest(namespace string) policy.Request {
	r := policy.Request{ContainerdNamespace: "k8s.io", Annotations: make(map[string]string), Mounts: []string{"/data"}}
	policy.Identity{Kind: policy.Container, PodNamespace: namespace, PodName: "p", Container: "c"}.Annotate("", r.Annotations)
	return r
}

// A drop-in's floors do not hold for those whom it leaves out, and hold for all others; the
// floors of other files hold for both.
func TestExcept(t *testing.T) {
	const profiles = "profiles:" + noSocketOrKeyctl
	for _, mode := range []string{"Enforce", "Audit"} {
		for _, tt := range []struct {
			name, except string
			request      policy.Request
			left         bool
		}{
			{name: "its pod", except: "{pod: {namespace: [db]}}", request: podRequest("db"), left: true},
			{name: "one of two", except: "{pod: {namespace: [web]}}, {pod: {namespace: [d*]}}", request: podRequest("db"), left: true},
			{name: "another pod", except: "{pod: {namespace: [db]}}", request: podRequest("web")},
			{name: "no pod", except: "{pod: {namespace: ['*']}}", request: policy.Request{ContainerdNamespace: "moby"}},
			{name: "an imitation", except: "{pod: {namespace: [db]}}", request: func() policy.Request {
				r := podRequest("db")
				r.ContainerdNamespace = "moby"
				return r
			}()},
			{name: "a mount", except: "{mounts: [/data/db]}", request: podRequest("db"), left: true},
			{name: "another mount", except: "{mounts: [/other]}", request: podRequest("db")},
			{name: "two fields, one of which does not match", except: "{mounts: [/data], container: [d]}", request: podRequest("db")},
		} {
			t.Run(mode+" "+tt.name, func(t *testing.T) {
				base, findings := policy.Parse("policy.yaml", []byte("version: 1\nabsent: Unconfined\nmode: "+mode+"\nmandatoryFloors: [no-keyctl]\n"+profiles), nil)
				if err := findings.Err(); err != nil {
					t.Fatal(err)
				}
				text := "version: 1\nmandatoryFloors: [no-alg]\nexcept: [" + tt.except + "]\n" + strings.Split(profiles, "  no-keyctl")[0]
				own, findings := policy.ParseDropIn("alg.yaml", []byte(text), nil)
				if err := findings.Err(); err != nil {
					t.Fatal(err)
				}
				p := base.With(own)
				if len(p.MountPatterns()) > 0 != strings.Contains(tt.except, "mounts") {
					t.Errorf("it asks for mounts by %q", p.MountPatterns())
				}
				o := p.Resolve(tt.request, nil, policy.Machine{})
				if o.Refusal != "" {
					t.Fatal(o.Refusal)
				}
				program, err := filter.Compile(o.Runs())
				if err != nil {
					t.Fatal(err)
				}
				if w := looser(t, p, "no-keyctl", program); w != nil {
					t.Errorf("the policy's own floor does not hold: %v", w)
				}
				if open := looser(t, own, "no-alg", program) != nil; open != tt.left {
					t.Errorf("left out: %v, want %v: %s", open, tt.left, o.Reason)
				}
				if said := o.LeftOut == "no-alg" && strings.HasSuffix(o.Reason, ", and the drop-in of no-alg leaves it out"); said != tt.left {
					t.Errorf("left out: %v, want %v by its reason: %q", said, tt.left, o.Reason)
				}
			})
		}
	}
}

// Where nobody knows a container, what the runtime skips is looked for in all floors.
func TestExceptSkipped(t *testing.T) {
	base, _ := policy.Parse("policy.yaml", []byte("version: 1\n"), nil)
	own, findings := policy.ParseDropIn("a.yaml", []byte(`version: 1
mandatoryFloors: [a]
except: [{kind: [Container]}]
profiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [setxattrat], action: SCMP_ACT_ERRNO}]}}}
`), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	m := policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")}
	if found := base.With(own).Skipped(m); len(found) == 0 {
		t.Error("nothing is said of a name that the runtime skips")
	}
}

// What a match says of itself is read as the same match.
func TestMatchString(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	words := func(from ...string) []string {
		if r.IntN(3) > 0 {
			return nil
		}
		return []string{filtertest.Pick(r, from), filtertest.Pick(r, from)}
	}
	odd := []string{"a", "a*", `[a-z]"'`, "ü: {", "- #<&>"}
	for range 500 {
		m := policy.Match{
			ContainerdNamespace: words(odd...), PodNamespace: words(odd...), PodName: words(odd...), Container: words(odd...),
			Image: words(odd...), Kind: words("Sandbox", "Container"), Runtime: words(odd...),
			Capabilities: words("CAP_BPF", "CAP_SYS_ADMIN"), Mounts: words("/a", "/b*"), Namespaces: words(policy.HostNamespaces...),
		}
		if reflect.DeepEqual(m, policy.Match{}) || reflect.DeepEqual(m, policy.Match{Kind: m.Kind}) {
			continue // it may be for every container
		}
		got, err := policy.ParseExcept("a match", m.String())
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%s: got %+v, %v, want %+v", m, got, err, m)
		}
	}
}

// An entry that leaves out every container is refused, whichever way it says so.
func TestExceptAll(t *testing.T) {
	for text, all := range map[string]bool{
		"{pod: {}}":                                         true,
		"{containerdNamespace: ['*']}":                      true,
		"{kind: [Sandbox, Container]}":                      true,
		"{runtime: ['*'], kind: [Container, Sandbox]}":      true,
		"{runtime: [io.containerd.batten.v2, batten-runc]}": true,
		"{containerdNamespace: ['*'], kind: [Container]}":   false,
		"{pod: {namespace: ['*']}}":                         false,
		"{mounts: [/]}":                                     true,
		"{mounts: [/data]}":                                 false,
		"{mounts: [/], kind: [Container]}":                  false,
	} {
		if _, err := policy.ParseExcept("--except", text); err != nil != all {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// exceptFindings are what is found of a drop-in that leaves containers out.
func exceptFindings(except string) string {
	_, findings := policy.ParseDropIn("a.yaml", []byte("version: 1\nmandatoryFloors: [a]\nexcept: ["+except+"]\n"+
		"profiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO}]}}}\n"), nil)
	var said []string
	for _, f := range findings {
		said = append(said, f.String())
	}
	return strings.Join(said, "\n")
}

// Entries that leave out every container together are refused, and such as anybody can bring about are
// warned of.
func TestExceptTold(t *testing.T) {
	const (
		all    = "except: leaves out every container by its entries together; remove the drop-in where that is meant"
		chosen = "warning: except[0]: leaves out by what whoever starts a container chooses: whoever may make a pod can be left out; name pod.namespace as well"
	)
	for except, want := range map[string]string{
		"{kind: [Sandbox]}, {kind: [Container]}":                         all,
		"{runtime: [batten-runc]}, {runtime: [io.containerd.batten.v2]}": all,
		"{kind: [Sandbox]}, {kind: [Sandbox]}":                           "",
		"{pod: {name: [db-*]}}":                                          chosen,
		"{pod: {namespace: ['*'], name: [db-*]}}":                        chosen,
		"{image: ['example.org/db:*']}":                                  chosen,
		"{mounts: [/data]}":                                              chosen,
		"{pod: {namespace: [db], name: [db-*]}}":                         "",
		"{containerdNamespace: [moby], container: [db]}":                 "",
	} {
		got := exceptFindings(except)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", except, got, want)
		}
	}
}
