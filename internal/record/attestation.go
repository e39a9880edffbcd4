package record

// State is how far a container's filter is attested.
type State string

const (
	// Pending: the process has not been looked at since it was started.
	Pending State = "Pending"
	// NotRequired: the policy lets it run without a filter.
	NotRequired State = "NotRequired"
	// Filtered: the kernel filters it.
	Filtered State = "Filtered"
	// Ended: it was gone before it could be looked at.
	Ended State = "Ended"
	// Failed: it ran without the filter that it should have, and was killed.
	Failed State = "Failed"
)

// Attestation is what /proc said of a container's first process.
type Attestation struct {
	State State `json:"state"`
	// Filters is how many filters the process had, -1 where the kernel does
	// not tell.
	Filters int `json:"filters,omitempty"`
	// Compared says whether the filter was compared with the profile of the record;
	// empty where there is none to compare.
	Compared Compared `json:"compared,omitempty"`
	Detail   string   `json:"detail,omitempty"`
}

// Compared is what came of comparing a filter with a profile.
type Compared string

const (
	// AsStrict: the filter is nowhere looser than the profile.
	AsStrict Compared = "AsStrict"
	// Looser: it lets a call through that the profile does not, and the container was
	// killed.
	Looser Compared = "Looser"
	// NotCompared: it could not be read, as Detail says.
	NotCompared Compared = "NotCompared"
)
