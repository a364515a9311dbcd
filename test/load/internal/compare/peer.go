//go:build linux

package compare

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Names of the servers that can be compared.
const (
	Parley = "parley"
	Node   = "node"  // socket.io on Node.js, peers/node
	Bun    = "bun"   // socket.io on Bun with its own engine, peers/bun
	Floor  = "floor" // one write per delivery and nothing else, peers/floor
)

// Peer is a server that can be started and measured.
type Peer struct {
	Name    string
	command []string
	dir     string
	env     []string
	gc      func(port, adminPort string) string // URL that makes it collect garbage; nil if there is none
	isFloor bool                                // only its CPU time and rates mean anything
}

// peers returns the servers named in the configuration, in its order.
func (c Config) peers() ([]Peer, error) {
	gcRoute := func(port, _ string) string { return "http://127.0.0.1:" + port + "/gc" }
	all := []Peer{
		{
			Name: Parley, command: []string{c.ParleyBinary},
			env: append([]string{"CONVERSATION_ACCESS=claims", "LOG_LEVEL=warn", "DRAIN_TIME=0"}, strings.Fields(c.ParleyEnv)...),
			gc:  func(_, adminPort string) string { return "http://127.0.0.1:" + adminPort + "/debug/pprof/heap?gc=1" },
		},
		{
			Name: Node, command: append(append([]string{"node", "--expose-gc"}, strings.Fields(c.NodeFlags)...), "server.mjs"),
			dir: c.NodeDir, env: []string{"NODE_ENV=production"}, gc: gcRoute,
		},
		{
			Name: Bun, command: []string{bunBinary(c.BunDir), "server.mjs"},
			dir: c.BunDir, env: []string{"NODE_ENV=production"}, gc: gcRoute,
		},
		{Name: Floor, command: []string{c.FloorBinary}, isFloor: true},
	}
	var peers []Peer
	for _, name := range c.Peers {
		i := slices.IndexFunc(all, func(p Peer) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("peer %q: must be %s, %s, %s or %s", name, Parley, Node, Bun, Floor)
		}
		p := all[i]
		if p.command[0] == "" || p.command[len(p.command)-1] == "server.mjs" && p.dir == "" {
			return nil, fmt.Errorf("peer %s: say where it is, with -parley, -node-dir, -bun-dir or -floor", name)
		}
		if !c.ForceGC {
			p.gc = nil
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// bunBinary returns the path of the bun that the lock file in dir pins and that is installed with the server's packages.
// It is absolute because the server is started in dir.
func bunBinary(dir string) string {
	path := filepath.Join(dir, "node_modules", ".bin", "bun")
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
