//go:build linux

package compare

import (
	"fmt"
	"strings"
)

// Names of the servers that can be compared.
const (
	Parley = "parley"
	Node   = "node"  // socket.io on Node.js, peers/node
	Floor  = "floor" // one write per delivery and nothing else, peers/floor
)

// Peer is a server that can be started and measured.
type Peer struct {
	Name    string
	command []string
	dir     string
	env     []string
	gc      func(port, adminPort string) string
	isFloor bool // nothing but CPU time means anything
}

// peers returns the servers named in the configuration, in its order.
func (c Config) peers() ([]Peer, error) {
	var peers []Peer
	for _, name := range c.Peers {
		p := Peer{Name: strings.TrimSpace(name)}
		switch p.Name {
		case Parley:
			p.command = []string{c.ParleyBinary}
			p.env = append([]string{"CONVERSATION_ACCESS=claims", "LOG_LEVEL=warn"}, strings.Fields(c.ParleyEnv)...)
			p.gc = func(_, adminPort string) string { return "http://127.0.0.1:" + adminPort + "/debug/pprof/heap?gc=1" }
		case Node:
			p.command = append(append([]string{"node", "--expose-gc"}, strings.Fields(c.NodeFlags)...), "server.mjs")
			p.dir = c.NodeDir
			p.env = []string{"NODE_ENV=production"}
			p.gc = func(port, _ string) string { return "http://127.0.0.1:" + port + "/gc" }
		case Floor:
			p.command = []string{c.FloorBinary}
			p.isFloor = true
		default:
			return nil, fmt.Errorf("peer %q: must be %s, %s or %s", p.Name, Parley, Node, Floor)
		}
		if p.command[0] == "" || p.Name == Node && p.dir == "" {
			return nil, fmt.Errorf("peer %s: its place is not given (-parley, -floor, -node-dir)", p.Name)
		}
		if !c.ForceGC {
			p.gc = nil
		}
		peers = append(peers, p)
	}
	return peers, nil
}
