package enforce

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// record returns the record of a container that starts with outcome o; runs is the digest
// of the profile that it runs under.
func (e *Enforcer) record(c Container, asked string, p *policy.Policy, o *policy.Outcome, runs string) *record.Record {
	rec := &record.Record{
		Time: e.Now().UTC(), ContainerdNamespace: c.ContainerdNamespace, Engine: c.Engine, ID: c.ID, Bundle: c.Bundle, Call: c.Call,
		Identity: o.Identity, Runtime: c.Runtime, OCIRuntime: c.Binary,
		Policy: p.Path, PolicyDigest: "sha256:" + p.Digest, Rule: o.Rule, Mode: o.Mode,
		Question: o.Question, Word: o.Word, Verdict: o.Verdict, Reason: o.Reason,
		Base: o.Word, Floor: o.Floor, Mandatory: o.Mandatory, DropIns: p.DropIns, Notes: o.Notes,
		Attestation: record.Attestation{State: record.Pending},
	}
	digest := func(own *specs.LinuxSeccomp) string {
		switch own {
		case nil:
			return ""
		case o.Brought:
			return asked
		case o.Installed():
			return runs
		}
		return Digest(profile.Encode(*own))
	}
	rec.Asked, rec.Kept = asked, o.Brought != nil && o.Installed() == o.Brought
	rec.Default = o.Default
	rec.Denials = observed(o)
	rec.Tightened = o.Tightened()
	rec.Result = record.None // Prepare seals it
	rec.BaseDigest, rec.FloorDigest = cmp.Or(digest(o.BaseProfile), rec.Asked), digest(o.FloorProfile)
	rec.MandatoryDigest = digest(o.MandatoryProfile)
	if o.FloorProfile == o.BaseProfile && o.Floor != "" {
		rec.BaseDigest = ""
	}
	if o.Mode == policy.Audit && o.Refusal != "" {
		rec.Notes = append(rec.Notes, "would be refused: "+o.Refusal)
	}
	if rec.Restored = c.Restore; c.Restore {
		rec.Notes = append(rec.Notes, "restored: the filter came out of the checkpoint")
	}
	if o.Mode == policy.Audit && o.MandatoryProfile == nil || o.Runs() == nil {
		rec.Attestation.State = record.NotRequired
	}
	return rec
}

// observed returns what the record says of how denials are seen.
func observed(o *policy.Outcome) *record.Denials {
	switch {
	case o.Unobserved != "":
		return &record.Denials{Not: o.Unobserved}
	case o.Observed == nil:
		return nil
	}
	d := &record.Denials{Answer: record.Denied, Profile: Digest(profile.Encode(*o.Result)), Unseen: o.Observed.Unseen}
	if o.Mode == policy.Audit {
		d.Answer = record.LetThrough
	}
	return d
}

// Digest returns data's SHA-256 as records write it.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
