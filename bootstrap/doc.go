// Package bootstrap puts Parley together: configuration from the environment, the graph of
// constructors, start, drain and stop. It is the only package that knows every other one, and the
// only one that uses fx; nothing should import it but the program and tests of the whole.
package bootstrap
