package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley/test/model"
)

// party is a client of the model check that keeps a log of what happens to it. One goroutine calls its methods; receive
// and what it calls (take…, note, the callbacks) run on the connection's own goroutine, with mu held.
type party struct {
	address, user, token string
	number               int
	random               *rand.Rand
	polls                bool
	// acks says whether it acknowledges the message. Like heard and reported, it is called by receive.
	acks func(model.Message) bool

	link link
	// over is closed when the connection has ended and everything it brought is in the log.
	over chan struct{}

	mu      sync.Mutex
	records []model.Record
	// frozen says that the run is over: nothing is added to records any more.
	frozen           bool
	sid, pid, offset string
	// since is when CONNECT was answered last.
	since time.Time
	// asked is the id of the latest event that asked for an ack.
	asked int
	// waiting are the events not answered yet, by ack id.
	waiting map[int]question
	// answering is when the client asked for the answer it is getting now, in microseconds since the Unix epoch; else 0.
	answering int64
	// places are the conversations it has ever joined, by id.
	places map[string]*standpoint
	// heard is called with each message, reported with each report.
	heard    func(model.Message)
	reported func(model.Report)
	// refusal is the payload of CONNECT_ERROR, if CONNECT was refused.
	refusal string
}

// question is an event that waits for its answer.
type question struct {
	// asked is when, in microseconds since the Unix epoch.
	asked    int64
	answered func(json.RawMessage)
}

// standpoint is what a client knows of a conversation.
type standpoint struct {
	in bool
	// lost says that it was in when it lost a connection that was not recovered.
	lost  bool
	epoch string
	// seen is the highest seq it has got.
	seen uint64
}

var errGone = errors.New("the connection is lost")

// answer has the fields of all acks that the model check looks at.
type answer struct {
	OK        bool            `json:"ok"`
	Epoch     string          `json:"epoch"`
	Seq       uint64          `json:"seq"`
	MessageID string          `json:"messageId"`
	Timestamp string          `json:"timestamp"`
	Duplicate bool            `json:"duplicate"`
	Recovered bool            `json:"recovered"`
	Messages  []model.Message `json:"messages"`
	More      bool            `json:"more"`
	Members   []struct {
		UserID string `json:"userId"`
	} `json:"members"`
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

func (a answer) users() (users []string) {
	for _, m := range a.Members {
		users = append(users, m.UserID)
	}
	return users
}

func now() int64 { return time.Now().UnixMicro() }

// note adds a record to the log. The caller holds mu.
func (p *party) note(r model.Record) {
	if r.At, r.Asked = now(), p.answering; !p.frozen {
		p.records = append(p.records, r)
	}
}

// connect opens a connection and waits for CONNECT to be answered. With recover, it asks to carry on as the socket it
// was before.
func (p *party) connect(recover bool) error {
	var l link
	var err error
	if p.polls {
		l, err = dialPolling(p.address)
	} else {
		l, err = dialWebSocket(p.address, p.random.IntN(2) == 0)
	}
	if err != nil {
		return errors.Join(errGone, err)
	}
	auth := map[string]string{"token": p.token}
	p.mu.Lock()
	if recover && p.pid != "" {
		auth["pid"] = p.pid
		if p.offset != "" {
			auth["offset"] = p.offset
		}
	}
	p.waiting = map[int]question{}
	p.mu.Unlock()
	payload, err := json.Marshal(auth)
	if err != nil {
		return err
	}
	p.link, p.over = l, make(chan struct{})
	connected := make(chan struct{})
	go p.receive(l, p.over, connected)
	if err := l.write("40" + string(payload)); err != nil {
		p.drop()
		return errors.Join(errGone, err)
	}
	select {
	case <-connected:
		return nil
	case <-p.over:
		if p.refusal != "" {
			return fmt.Errorf("CONNECT was refused: %s", p.refusal)
		}
		return errGone
	case <-time.After(patience):
		p.drop()
		return errors.New("CONNECT was not answered")
	}
}

// drop cuts the connection, and waits until its end is in the log.
func (p *party) drop() {
	p.link.cut()
	<-p.over
}

// lives reports whether the connection is not known to be lost.
func (p *party) lives() bool {
	select {
	case <-p.over:
		return false
	default:
		return true
	}
}

// receive handles what the connection brings until it ends.
func (p *party) receive(l link, over, connected chan struct{}) {
	defer close(over)
	defer l.cut()
	for {
		packets, err := l.read()
		for _, packet := range packets {
			if err == nil || packet != "" {
				p.take(l, packet, connected)
			}
		}
		if err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.note(model.Record{Kind: model.Dropped})
			return
		}
	}
}

func (p *party) take(l link, packet string, connected chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch kind, rest := packet[:min(2, len(packet))], packet[min(2, len(packet)):]; kind {
	case "40":
		p.takeConnect(rest)
		close(connected)
	case "44":
		p.refusal = rest
		l.cut()
	case "42":
		p.takeEvent(l, rest)
	case "43":
		digits := rest[:strings.IndexByte(rest, '[')]
		id, _ := strconv.Atoi(digits) // an id that is no number becomes 0, which nothing waits for
		if q, waits := p.waiting[id]; waits {
			delete(p.waiting, id)
			p.answering = q.asked
			q.answered(json.RawMessage(rest[len(digits):]))
			p.answering = 0
		}
	}
}

func (p *party) takeConnect(rest string) {
	var ids struct{ SID, PID string }
	_ = json.Unmarshal([]byte(rest), &ids) // without ids nothing is ever recovered, and assertMuch notices
	recovered := ids.SID == p.sid
	p.since = time.Now()
	if p.sid, p.pid = ids.SID, ids.PID; !recovered {
		p.offset = ""
		for _, at := range p.places {
			at.lost, at.in = at.lost || at.in, false
		}
	}
	p.note(model.Record{Kind: model.Connected, SID: p.sid, Recovered: recovered})
}

// takeEvent handles an event, `[name, payload, offset?]`, preceded by an id if it asks for an ack.
func (p *party) takeEvent(l link, rest string) {
	id := rest[:strings.IndexByte(rest, '[')]
	var args []json.RawMessage
	var name string
	if json.Unmarshal([]byte(rest[len(id):]), &args) != nil || len(args) < 2 || json.Unmarshal(args[0], &name) != nil {
		return
	}
	// The official client takes the offset from events that ask for no ack: it is the last argument, if that is a string.
	if last := args[len(args)-1]; id == "" && last[0] == '"' {
		_ = json.Unmarshal(last, &p.offset) // it is a JSON string
	}
	switch payload := args[1]; name {
	case "message":
		var m model.Message
		_ = json.Unmarshal(payload, &m) // if it fails, the message differs from the log, and the checker reports it
		p.takeMessage(l, id, m)
	case "user_joined", "user_left":
		var change struct{ ConversationID, UserID, Timestamp string }
		_ = json.Unmarshal(payload, &change) // as above
		kind := model.Arrived
		if name == "user_left" {
			kind = model.Departed
		}
		p.note(model.Record{Kind: kind, Conversation: change.ConversationID, User: change.UserID, Timestamp: change.Timestamp})
	case "message_delivered":
		var report model.Report
		_ = json.Unmarshal(payload, &report) // as above
		p.reported(report)
		p.note(model.Record{Kind: model.Reported, Report: &report})
	}
}

func (p *party) takeMessage(l link, id string, m model.Message) {
	p.note(model.Record{Kind: model.Heard, Message: &m})
	p.heard(m)
	if at := p.places[m.ConversationID]; at != nil {
		at.seen = max(at.seen, m.Seq)
	}
	if id == "" || !p.acks(m) {
		return
	}
	p.note(model.Record{Kind: model.Acking, Conversation: m.ConversationID, Seq: m.Seq})
	_ = l.write("43" + id + "[]") // it fails only if the connection is lost, and then receive notices
}

// tell emits the event and does not wait. If an answer comes, answered is called with it, with mu held. before is added
// to the log first, if it has a kind.
func (p *party) tell(event string, payload any, before model.Record, answered func(answer)) error {
	args, err := json.Marshal([]any{event, payload})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.asked++
	id := p.asked
	if before.Kind != "" {
		p.note(before)
	}
	p.waiting[id] = question{now(), func(raw json.RawMessage) {
		var acks [1]answer
		_ = json.Unmarshal(raw, &acks) // a malformed answer counts as a refusal: its OK is false
		answered(acks[0])
	}}
	p.mu.Unlock()
	return p.link.write("42" + strconv.Itoa(id) + string(args))
}

// ask is tell, and waits for the answer.
func (p *party) ask(event string, payload any, before model.Record, answered func(answer)) error {
	done := make(chan struct{})
	err := p.tell(event, payload, before, func(a answer) {
		answered(a)
		close(done)
	})
	if err != nil {
		return errors.Join(errGone, err)
	}
	select {
	case <-done:
		return nil
	case <-p.over:
		return errGone
	case <-time.After(patience):
		return fmt.Errorf("%s was not answered", event)
	}
}
