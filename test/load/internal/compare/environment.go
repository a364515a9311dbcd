//go:build linux

package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// environment describes what the figures depend on. What cannot be read is left out.
func environment(ctx context.Context, c Config) []string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	lines := []string{
		fmt.Sprintf("%d × %s, Linux %s, %s", runtime.NumCPU(), cpuModel(), strings.TrimSpace(string(kernel)), runtime.Version()),
		"loopback; neither the servers nor the generator are pinned: they share all cores, and the highest rate includes the generator's own use of them",
		fmt.Sprintf("%d rounds, interleaved, a fresh process each; medians (lowest–highest)", c.Rounds),
		fmt.Sprintf("room: %d users, %d senders (%d for the highest rate), %d bytes of content, open schedule, latency from the due time; idle: %d clients a conversation",
			min(roomUsers, c.RoomClients), roomSenders, kneeSenders, contentSize, perIdleRoom),
		fmt.Sprintf("generator: %d reading threads, nap %s (latencies may be too long by it)", c.Loops, c.Nap),
	}
	if slices.Contains(c.Peers, Node) {
		lines = append(lines, fmt.Sprintf("node: %s, socket.io %s, WebSocket only, %s",
			nodeVersion(ctx), packageVersion(c.NodeDir, "socket.io"), strings.TrimSpace("--expose-gc "+c.NodeFlags)))
	}
	if c.ParleyEnv != "" {
		lines = append(lines, "parley: "+c.ParleyEnv)
	}
	return lines
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

func nodeVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
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
