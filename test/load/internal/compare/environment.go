//go:build linux

package compare

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// title returns a line that says when and at which commit it was measured.
func title(at time.Time, commit string) string {
	return at.UTC().Format("2006-01-02 15:04 UTC") + ", commit " + cmp.Or(commit, "unknown")
}

// environment describes what the figures depend on, in sentences. What cannot be read is left out or called unknown.
func environment(ctx context.Context, c Config) []string {
	lines := []string{
		fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), cpuModel(), kernel(), runtime.Version()),
		"loopback; neither the servers nor the generator are pinned: they share all cores, and the highest rate includes the generator's own use of them",
		fmt.Sprintf("%d rounds, interleaved, a fresh process each; medians (lowest–highest); %d of the highest rate, 1 of latency over rate, %d of the others where the figure to reach is not a ratio to theirs",
			c.Rounds, c.KneeRounds, min(c.Rounds, c.RivalRounds)),
		fmt.Sprintf("room: %d users, %d senders (%d for high rates), %d bytes of content, open schedule, latency from the due time; measured for %s (stuck members: %s, %d messages/s of %d bytes)",
			min(roomUsers, c.RoomClients), roomSenders, mostSenders, contentSize, c.RoomTime, c.StuckTime, stuckRate, stuckSize),
		fmt.Sprintf("idle: %d clients a conversation, a ping every %s, held for %s before memory is read", perIdleRoom, c.Ping, c.IdleTime/2),
		fmt.Sprintf("generator: %d reading threads, nap %s (latencies may be too long by it)", c.Loops, c.Nap),
	}
	if slices.Contains(c.Peers, Node) {
		lines = append(lines, fmt.Sprintf("node: %s, socket.io %s, WebSocket only, %s",
			version(ctx, "node"), packageVersion(c.NodeDir, "socket.io"), strings.TrimSpace("--expose-gc "+c.NodeFlags)))
	}
	if slices.Contains(c.Peers, Bun) {
		lines = append(lines, fmt.Sprintf("bun: %s, socket.io %s, @socket.io/bun-engine %s, WebSocket only",
			version(ctx, bunBinary(c.BunDir)), packageVersion(c.BunDir, "socket.io"), packageVersion(c.BunDir, "@socket.io/bun-engine")))
	}
	if c.ParleyEnv != "" {
		lines = append(lines, "parley: "+c.ParleyEnv)
	}
	if c.LeftOut != "" {
		lines = append(lines, "left out: "+c.LeftOut)
	}
	return lines
}

func kernel() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + strings.TrimSpace(string(release))
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func version(ctx context.Context, command string) string {
	out, err := exec.CommandContext(ctx, command, "--version").Output()
	if err != nil {
		return "unknown version"
	}
	return strings.TrimSpace(string(out))
}

func packageVersion(dir, name string) string {
	var manifest struct{ Version string }
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", name, "package.json"))
	if err != nil || json.Unmarshal(b, &manifest) != nil {
		return "of unknown version"
	}
	return manifest.Version
}
