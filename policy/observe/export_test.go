package observe

// NotOnX32 are calls for which libseccomp has no number on x32.
var NotOnX32 = notOnX32
