// Package bootstrap puts Parley together: configuration from the environment, the graph of constructors, start, drain and
// stop. It is the only package that depends on all others, and the only one that uses fx. Only the program itself and
// tests of the whole should import it.
package bootstrap
