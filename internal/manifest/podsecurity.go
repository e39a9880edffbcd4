package manifest

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
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
	if l.pod.assembled || !level.Valid() || level == api.LevelPrivileged {
		return
	}
	verdict := policy.AggregateCheckResults(evaluator().EvaluatePod(
		api.LevelVersion{Level: level, Version: api.LatestVersion()}, &l.pod.Meaning.ObjectMeta, l.withKnownTypes()))
	if verdict.Allowed {
		return
	}
	at := l.pod.Template.Get("spec")
	if enforced {
		l.error("pod-security", at, repair{}, "its namespace enforces Pod Security %q and refuses it: %s", level, verdict.ForbiddenDetail())
		return
	}
	l.warn("pod-security", at, repair{}, "a namespace with Pod Security %q refuses it: %s", level, verdict.ForbiddenDetail())
}

// withKnownTypes returns the pod's spec with RuntimeDefault for each type of profile that
// there is not: those have a finding of their own.
func (l *linter) withKnownTypes() *corev1.PodSpec {
	pod := *l.pod
	pod.Meaning = *pod.Meaning.DeepCopy()
	known := []corev1.SeccompProfileType{corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeUnconfined}
	repair := func(p *corev1.SeccompProfile) {
		if p != nil && !slices.Contains(known, p.Type) {
			p.Type = corev1.SeccompProfileTypeRuntimeDefault
		}
	}
	if s := pod.Meaning.Spec.SecurityContext; s != nil {
		repair(s.SeccompProfile)
	}
	for _, c := range pod.Containers() {
		if c.Security != nil {
			repair(c.Security.SeccompProfile)
		}
	}
	return &pod.Meaning.Spec
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
