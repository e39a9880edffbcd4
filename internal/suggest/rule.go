package suggest

import (
	"regexp"
	"strings"
)

// Names that controllers make end in letters and digits of an alphabet without vowels
// (k8s.io/apimachinery/pkg/util/rand).
const drawn = "[bcdfghjklmnpqrstvwxz2456789]"

var (
	// ofDeployment is NAME-HASH-RANDOM, also of a CronJob's pods: NAME-MINUTES-RANDOM.
	ofDeployment = regexp.MustCompile(`^(.+)-(?:` + drawn + `{6,10}|[0-9]{8})-` + drawn + `{5}$`)
	// ofSet is NAME-RANDOM: of a DaemonSet, a ReplicaSet or a Job.
	ofSet = regexp.MustCompile(`^(.+)-` + drawn + `{5}$`)
	// ordinal is NAME-N, of a StatefulSet.
	ordinal = regexp.MustCompile(`^(.+)-[0-9]{1,4}$`)
)

// PodGlob returns a glob, as rules have it, for the names of all pods that the controller of a
// pod makes, and the name without what the controller adds. Of a pod that nobody seems to have
// made it is the name itself.
func PodGlob(name string) (glob, stem string) {
	for _, made := range []struct {
		name *regexp.Regexp
		tail string
	}{{ofDeployment, "-*-?????"}, {ofSet, "-?????"}, {ordinal, "-*"}} {
		if m := made.name.FindStringSubmatch(name); m != nil {
			return m[1] + made.tail, m[1]
		}
	}
	return name, name
}

var notInName = regexp.MustCompile(`[^a-z0-9-]+`)

// maxLabel is how long a DNS label may be.
const maxLabel = 63

// profileName returns a name that a policy may give to a profile.
func profileName(parts ...string) string {
	var out []string
	for _, part := range parts {
		if part = strings.Trim(notInName.ReplaceAllString(strings.ToLower(part), "-"), "-"); part != "" {
			out = append(out, part)
		}
	}
	if len(out) == 0 {
		return "suggested"
	}
	name := strings.Join(out, "-")
	return strings.Trim(name[:min(len(name), maxLabel-4)], "-") // a number may come behind
}
