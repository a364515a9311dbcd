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

// party is a client of the model check, which writes down what happens to it. Its methods belong to one goroutine, but
// for receive, which is that of the connection.
type party struct {
	address, user, token string
	number               int
	random               *rand.Rand
	polls                bool
	// acks says whether it acknowledges the message. It is called by receive, as heard and reported are.
	acks func(model.Message) bool

	link link
	// over is closed when the connection has ended and everything it brought is written down.
	over chan struct{}

	mu      sync.Mutex
	records []model.Record
	// frozen says that the run is over and nothing is written down any more.
	frozen           bool
	sid, pid, offset string
	// since is when it was connected last.
	since   time.Time
	asked   int
	waiting map[int]question
	// answering is when the client asked for what it is just being answered.
	answering int64
	// places are the conversations that it knows.
	places map[string]*standpoint
	// heard is called with each message, reported with each report.
	heard    func(model.Message)
	reported func(model.Report)
	// refusal is what CONNECT was refused with.
	refusal string
}

// question is one that waits for its answer.
type question struct {
	asked    int64
	answered func(json.RawMessage)
}

// standpoint is what a client knows of a conversation.
type standpoint struct {
	in bool
	// lost says that it was in when a connection was lost that it did not recover.
	lost  bool
	epoch string
	seen  uint64
}

var errGone = errors.New("the connection is lost")

// answer is what the model check looks at in an ack.
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

// note writes a record down. The caller holds mu.
func (p *party) note(r model.Record) {
	if r.At, r.Asked = now(), p.answering; !p.frozen {
		p.records = append(p.records, r)
	}
}

// connect opens a connection, as the socket that it was if it wants to and the server lets it.
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

// drop ends the connection without a word, and waits until that is written down.
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

// receive takes what the connection brings until it ends.
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
		id, _ := strconv.Atoi(digits) // what is none finds nobody waiting
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
	_ = json.Unmarshal([]byte(rest), &ids) // without ids it never recovers, which shows
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

// takeEvent takes `[name, payload, offset?]` with an id before it if it asks for an ack.
func (p *party) takeEvent(l link, rest string) {
	id := rest[:strings.IndexByte(rest, '[')]
	var args []json.RawMessage
	var name string
	if json.Unmarshal([]byte(rest[len(id):]), &args) != nil || len(args) < 2 || json.Unmarshal(args[0], &name) != nil {
		return
	}
	// As the official client has it: the last argument, if it is a string, of what asks for no ack.
	if last := args[len(args)-1]; id == "" && last[0] == '"' {
		_ = json.Unmarshal(last, &p.offset) // it is one
	}
	switch payload := args[1]; name {
	case "message":
		var m model.Message
		_ = json.Unmarshal(payload, &m) // what is missing then is in no log
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
	_ = l.write("43" + id + "[]") // if it is lost, so is the connection
}

// tell emits the event; answered is called with what is written down of its answer, if one comes. before is written
// down first, if it has a kind.
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
		_ = json.Unmarshal(raw, &acks) // an answer that is none is no success
		answered(acks[0])
	}}
	p.mu.Unlock()
	return p.link.write("42" + strconv.Itoa(id) + string(args))
}

// ask is tell that waits for the answer.
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
