package procfs

// Gone is err, or ErrGone if the process has ended.
var Gone = gone
