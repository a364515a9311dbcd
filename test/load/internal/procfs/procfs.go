// Package procfs reads what Linux accounts for a process: CPU time and resident memory.
package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc/<pid>/stat. USER_HZ is 100 on every architecture Go
// runs Linux on; only the kernel's internal HZ varies.
const tick = 10 * time.Millisecond

// Usage is what a process has used up to now.
type Usage struct {
	CPU     time.Duration // user and system, all threads, in steps of 10 ms
	RSS     int64         // resident bytes now
	PeakRSS int64         // highest RSS so far, bytes
}

// Read returns the usage of the process with the id; 0 means this one.
func Read(pid int) (Usage, error) {
	name := "self"
	if pid != 0 {
		name = strconv.Itoa(pid)
	}
	stat, err := os.ReadFile("/proc/" + name + "/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("procfs: %w", err)
	}
	status, err := os.ReadFile("/proc/" + name + "/status")
	if err != nil {
		return Usage{}, fmt.Errorf("procfs: %w", err)
	}
	return parse(stat, status)
}

func parse(stat, status []byte) (u Usage, err error) {
	if u.CPU, err = parseCPU(stat); err != nil {
		return Usage{}, err
	}
	if u.RSS, err = parseKB(status, "VmRSS:"); err != nil {
		return Usage{}, err
	}
	u.PeakRSS, err = parseKB(status, "VmHWM:")
	return u, err
}

// parseCPU reads utime and stime, the 14th and 15th fields of proc_pid_stat(5). The 2nd, the command's name, is in
// parentheses and may contain blanks and parentheses.
func parseCPU(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("procfs: stat has no command name")
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 13 {
		return 0, errors.New("procfs: stat is too short")
	}
	user, err1 := strconv.ParseUint(fields[11], 10, 63)
	system, err2 := strconv.ParseUint(fields[12], 10, 63)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("procfs: stat: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}

// parseKB reads one "Name:   123 kB" line of proc_pid_status(5).
func parseKB(status []byte, name string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		value, found := strings.CutPrefix(line, name)
		if !found {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 53)
		if err != nil {
			return 0, fmt.Errorf("procfs: status: %w", err)
		}
		return kb << 10, nil
	}
	return 0, fmt.Errorf("procfs: status has no %s", name)
}
