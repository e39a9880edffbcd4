package recorder

// Told is told, for tests.
func (r *Recorder) Told() (bool, error) { return r.told() }
