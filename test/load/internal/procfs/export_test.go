package procfs

// Parse is parse.
var Parse = parse
