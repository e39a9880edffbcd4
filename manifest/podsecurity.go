package manifest

import (
	"sync"

	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// evaluator is Pod Security admission's own.
var evaluator = sync.OnceValue(func() policy.Evaluator {
	e, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err) // its own checks
	}
	return e
})

// podSecurity reports what Pod Security admission would refuse.
func (l *linter) podSecurity() {
	level, enforced := l.level()
	if !level.Valid() || level == api.LevelPrivileged {
		return
	}
	verdict := policy.AggregateCheckResults(evaluator().EvaluatePod(
		api.LevelVersion{Level: level, Version: api.LatestVersion()}, &l.pod.Meaning.ObjectMeta, &l.pod.Meaning.Spec))
	if verdict.Allowed {
		return
	}
	at := l.pod.Template.Get("spec")
	if enforced {
		l.error("pod-security", at, nil, "its namespace enforces Pod Security %q and refuses it: %s", level, verdict.ForbiddenDetail())
		return
	}
	l.warn("pod-security", at, nil, "a namespace with Pod Security %q refuses it: %s", level, verdict.ForbiddenDetail())
}

// level is the one that the pod's namespace enforces, where that is among the
// manifests, or else the one that the caller asks about.
func (l *linter) level() (level api.Level, enforced bool) {
	for _, o := range l.objects {
		if o.Kind == "Namespace" && o.Name == l.pod.PodNamespace() {
			if label := o.Node.Get("metadata", "labels", api.EnforceLevelLabel).Value(); label != "" {
				return api.Level(label), true
			}
		}
	}
	return api.Level(l.env.PodSecurity), false
}
