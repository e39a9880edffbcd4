package atomicfile

// Unfinished begins the names of the temporary files of a file.
var Unfinished = unfinished
