//go:build linux

package compare

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 15 * time.Second
	stopLimit  = 10 * time.Second
	startPoll  = 20 * time.Millisecond
	tailBytes  = 4 << 10
)

// server is a running peer.
type server struct {
	cmd    *exec.Cmd
	url    string
	gc     string // URL that collects garbage, may be empty
	output *tail
	exited chan struct{}
	cancel context.CancelFunc
}

// start runs the peer on free ports and waits until it answers /healthz. The process ends when ctx does, or by stop. env
// is further environment, K=V. An error includes the peer's output.
func (p Peer) start(ctx context.Context, secret string, env []string) (*server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://127.0.0.1:" + ports[0], output: &tail{}, exited: make(chan struct{})}
	if p.gc != nil {
		s.gc = p.gc(ports[0], ports[1])
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.cmd = exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	s.cmd.Dir = p.dir
	s.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"HOST=127.0.0.1", "PORT=" + ports[0], "ADMIN_ADDR=127.0.0.1:" + ports[1], "JWT_SECRET=" + secret,
		"ALLOWED_ORIGINS=" + origin,
	}, slices.Concat(p.env, env)...)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopLimit // then it is killed
	if err := s.cmd.Start(); err != nil {
		s.cancel()
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	go func() {
		defer close(s.exited)
		// How it ended does not matter. If it ended early, ready notices.
		_ = s.cmd.Wait()
	}()
	if err := s.ready(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w\n%s", p.Name, err, s.output)
	}
	return s, nil
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the process and waits until it is gone.
func (s *server) stop() {
	s.cancel()
	<-s.exited
}

func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		select {
		case <-s.exited:
			return errors.New("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready within %s", startLimit)
		case <-time.After(startPoll):
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/healthz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// freePorts returns n different ports that nobody listens on at the moment.
func freePorts(n int) (ports []string, err error) {
	for range n {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("free port: %w", err)
		}
		defer listener.Close() // after the loop, so that the ports differ
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// tail keeps the last output of a server, to be shown if it fails.
type tail struct {
	mu   sync.Mutex
	last []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, b...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	return len(b), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.last))
}
