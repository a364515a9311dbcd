//go:build linux

package compare

// FaultsOf returns the faults a report finds in one sample.
func FaultsOf(s Sample) []string {
	var r Report
	r.add(s)
	return r.Faults
}
