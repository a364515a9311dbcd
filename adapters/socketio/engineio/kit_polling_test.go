package engineio_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

const polling = "/engine.io/?EIO=4&transport=polling"

// answer is an HTTP response that has been read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	// err says why there is no answer.
	err error
}

// summary returns what most tests want to know of an answer.
func summary(a answer) string { return answerOf(a.status, a.body) }

func answerOf(status int, body string) string { return fmt.Sprintf("%d %s", status, body) }

// pending is a request on its own connection that waits for its answer.
type pending struct {
	conn net.Conn
	done chan struct{}
	got  answer
}

// begin sends a request without waiting for the answer. fields are alternating header names and values.
func (k *kit) begin(method, target string, body io.Reader, fields ...string) *pending {
	k.t.Helper()
	req, err := http.NewRequest(method, "http://example.test"+target, body)
	require.NoError(k.t, err)
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	p := &pending{conn: k.dial(), done: make(chan struct{})}
	// Written on another goroutine, since the server may answer without reading it all.
	go func() { _ = req.Write(p.conn) }()
	go func() {
		defer close(p.done)
		p.got = k.read(p.conn, req)
	}()
	return p
}

// read reads the answer and closes the connection. req may be nil for GET and POST.
func (k *kit) read(conn net.Conn, req *http.Request) answer {
	defer conn.Close()
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return answer{err: err}
	}
	return readAnswer(resp)
}

func readAnswer(resp *http.Response) answer {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body), err: err}
}

// wait waits for the answer and returns it.
func (p *pending) wait() answer {
	<-p.done
	return p.got
}

// waiting reports whether there is no answer yet, once everything else in the bubble has come to rest.
func (p *pending) waiting() bool {
	synctest.Wait()
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// abort closes the request's connection.
func (p *pending) abort() { _ = p.conn.Close() }

func (k *kit) get(target string, fields ...string) answer {
	k.t.Helper()
	return k.begin(http.MethodGet, target, nil, fields...).wait()
}

// pollingClient is the client of one polling session.
type pollingClient struct {
	kit    *kit
	target string
	sid    string
	peer   *peer
}

// handshake opens a polling session.
func (k *kit) handshake() *pollingClient {
	k.t.Helper()
	opened := k.get(polling)
	require.Equal(k.t, http.StatusOK, opened.status, opened.body)
	return k.clientOf(opened.body)
}

// clientOf returns the client of the session that the open packet names; the packet may be followed by others.
func (k *kit) clientOf(payload string) *pollingClient {
	k.t.Helper()
	_, rest, _ := strings.Cut(payload, `"sid":"`)
	sid, _, found := strings.Cut(rest, `"`)
	require.True(k.t, found, payload)
	c := &pollingClient{kit: k, sid: sid, target: polling + "&sid=" + sid}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.peers {
		if p.session.ID() == sid {
			c.peer = p
		}
	}
	require.NotNil(k.t, c.peer)
	return c
}

func (c *pollingClient) beginPoll() *pending {
	return c.kit.begin(http.MethodGet, c.target, nil)
}

// poll polls once, which must succeed, and returns the payload.
func (c *pollingClient) poll() string {
	c.kit.t.Helper()
	got := c.beginPoll().wait()
	require.NoError(c.kit.t, got.err)
	require.Equal(c.kit.t, http.StatusOK, got.status, got.body)
	return got.body
}

func (c *pollingClient) beginPost(payload string) *pending {
	return c.kit.begin(http.MethodPost, c.target, strings.NewReader(payload))
}

// postFor posts a payload, which must be refused if ended names a violation of the protocol.
func (c *pollingClient) postFor(payload string, ended []engineio.CloseReason) {
	c.kit.t.Helper()
	if len(ended) == 0 || ended[0] == engineio.ReasonTransportClose {
		c.post(payload)
		return
	}
	c.postRefused(payload)
}

// postRefused posts a payload that must be refused.
func (c *pollingClient) postRefused(payload string) {
	c.kit.t.Helper()
	got := c.beginPost(payload).wait()
	assert.NoError(c.kit.t, got.err)
	assert.Equal(c.kit.t, http.StatusBadRequest, got.status)
}

// post posts a payload that must be accepted.
func (c *pollingClient) post(payload string) {
	c.kit.t.Helper()
	got := c.beginPost(payload).wait()
	assert.NoError(c.kit.t, got.err)
	assert.Equal(c.kit.t, http.StatusOK, got.status)
	assert.Equal(c.kit.t, "ok", got.body)
}
