package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// link is a connection of the model check. It carries Engine.IO packets over either transport, and can be cut.
type link interface {
	// write sends one packet. It may be called by several goroutines.
	write(packet string) error
	// read waits for packets and returns those that have come, at least one unless there is an error. It answers pings
	// itself and leaves them out.
	read() ([]string, error)
	// cut ends the connection at once, without telling the server. It may be called at any time, by any goroutine.
	cut()
}

// wsLink is a link over a WebSocket.
type wsLink struct {
	*raw
	// reset says that cut sends a TCP reset instead of a FIN.
	reset bool
}

func (l *wsLink) read() ([]string, error) {
	packet, err := l.raw.read()
	return []string{packet}, err
}

func (l *wsLink) cut() {
	if tcp, ok := l.conn.NetConn().(*net.TCPConn); ok && l.reset {
		_ = tcp.SetLinger(0) // it fails only if the connection is closed already
	}
	l.close()
}

func dialWebSocket(address string, reset bool) (link, error) {
	r, err := dial(address, &net.Dialer{Timeout: patience})
	if err != nil {
		return nil, err
	}
	return &wsLink{raw: r, reset: reset}, nil
}

// pollLink is a link over HTTP requests. Cutting it cancels those under way.
type pollLink struct {
	address string
	ctx     context.Context
	end     context.CancelFunc
	// posting is held during a POST: the protocol allows one at a time.
	posting sync.Mutex
}

func dialPolling(address string) (link, error) {
	ctx, end := context.WithCancel(context.Background())
	l := &pollLink{address: address + pollingPath, ctx: ctx, end: end}
	body, err := l.request(http.MethodGet, "")
	var handshake struct {
		SID string `json:"sid"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &handshake)
	}
	if err != nil {
		end()
		return nil, err
	}
	l.address += "&sid=" + url.QueryEscape(handshake.SID)
	return l, nil
}

func (l *pollLink) request(method, body string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(l.ctx, patience+10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, l.address, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s was answered by %d %s", method, response.StatusCode, read)
	}
	return string(read), err
}

func (l *pollLink) write(packet string) error {
	l.posting.Lock()
	defer l.posting.Unlock()
	_, err := l.request(http.MethodPost, packet)
	return err
}

func (l *pollLink) read() (packets []string, err error) {
	for len(packets) == 0 {
		body, err := l.request(http.MethodGet, "")
		if err != nil {
			return nil, err
		}
		for packet := range strings.SplitSeq(body, "\x1e") {
			switch packet {
			case "2":
				if err := l.write("3"); err != nil {
					return nil, err
				}
			case "1":
				return packets, errors.New("the server has closed the session")
			case "6":
			default:
				packets = append(packets, packet)
			}
		}
	}
	return packets, nil
}

func (l *pollLink) cut() { l.end() }
