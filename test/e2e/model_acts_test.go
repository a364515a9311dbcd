package e2e_test

import (
	"errors"
	"fmt"
	"time"

	"parley/test/model"
)

// join joins the conversation. With after, it asks for what it has missed since the last message it saw, if it has seen
// one.
func (p *party) join(name string, after bool) error {
	p.mu.Lock()
	at := p.places[name]
	if at == nil {
		at = &standpoint{}
		p.places[name] = at
	}
	payload := map[string]any{"conversationId": name}
	r := model.Record{Kind: model.Joined, Conversation: name}
	if after && at.epoch != "" {
		seen := at.seen
		r.After = &seen
		payload["after"] = map[string]any{"epoch": at.epoch, "seq": seen}
	}
	p.mu.Unlock()
	var refused string
	err := p.ask("join_conversation", payload, model.Record{}, func(a answer) {
		if !a.OK {
			refused = a.Error.Code
			return
		}
		at.in, at.lost, at.epoch, at.seen = true, false, a.Epoch, max(at.seen, a.Seq)
		r.Recovered, r.Seq, r.Epoch, r.Members, r.Messages = a.Recovered, a.Seq, a.Epoch, a.users(), a.Messages
		p.note(r)
	})
	if err == nil && refused != "" {
		err = fmt.Errorf("join was refused: %s", refused)
	}
	return err
}

func (p *party) leave(name string) error {
	return p.ask("leave_conversation", name, model.Record{}, func(a answer) {
		if a.OK {
			p.places[name].in = false
			p.note(model.Record{Kind: model.Left, Conversation: name})
		}
	})
}

// say sends the message and does not wait for the answer. more holds further payload fields, to make it invalid.
func (p *party) say(send model.Send, more map[string]any, answered func(answer)) error {
	payload := map[string]any{"conversationId": send.Conversation, "content": send.Content}
	if send.ID != "" {
		payload["messageId"] = send.ID
	}
	if send.Confirm {
		payload["confirm"] = true
	}
	if send.NoEcho {
		payload["echo"] = false
	}
	for name, value := range more {
		payload[name] = value
	}
	return p.tell("message", payload, model.Record{Kind: model.Sending, Send: &send}, func(a answer) {
		switch {
		case !a.OK:
			p.note(model.Record{Kind: model.Refused, Send: &send, Code: a.Error.Code})
		default:
			p.note(model.Record{
				Kind: model.Accepted, Send: &send, Seq: a.Seq, Epoch: a.Epoch, MessageID: a.MessageID,
				Timestamp: a.Timestamp, Duplicate: a.Duplicate,
			})
		}
		answered(a)
	})
}

// acknowledge sends a message_ack for everything that it has seen of the conversation.
func (p *party) acknowledge(name string) error {
	p.mu.Lock()
	seen := p.places[name].seen
	p.mu.Unlock()
	return p.ask("message_ack", map[string]any{"conversationId": name, "seq": seen},
		model.Record{Kind: model.Acking, Conversation: name, Seq: seen, UpTo: true},
		func(answer) { p.note(model.Record{Kind: model.Answered}) })
}

// present returns the users that the server says are in the conversation; none if it refuses.
func (p *party) present(name string) (users []string, err error) {
	err = p.ask("presence", map[string]any{"conversationId": name}, model.Record{}, func(a answer) {
		users = a.users()
		p.note(model.Record{Kind: model.Answered})
	})
	return users, err
}

// read reads a page of the conversation's history: at most limit messages, from the one after the seq on.
func (p *party) read(name string, after uint64, limit int) (page answer, err error) {
	payload := map[string]any{"conversationId": name, "after": after, "limit": limit}
	err = p.ask("history", payload, model.Record{}, func(a answer) {
		page = a
		p.note(model.Record{Kind: model.Answered, Messages: a.Messages})
	})
	return page, err
}

// goodbye ends the connection on purpose, as socket.disconnect() does.
func (p *party) goodbye() {
	p.mu.Lock()
	p.note(model.Record{Kind: model.Goodbye})
	p.mu.Unlock()
	_ = p.link.write("41") // the connection may be lost
	_ = p.link.write("1")
	p.drop()
}

// comeBack opens a connection after one was lost, mostly with recovery, and joins the conversations it was in again,
// mostly asking for what it has missed. With all, it joins every one of them and always asks; else it sometimes does not.
func (p *party) comeBack(all bool) error {
	recover := p.random.IntN(10) < 7
	for tries := 0; ; tries++ {
		err := p.connect(recover)
		if err == nil {
			break
		}
		if tries == 10 || !errors.Is(err, errGone) {
			return err
		}
		pause(50 * time.Millisecond)
	}
	// After a recovery it does not know who came and went meanwhile. Joining again tells it.
	for _, name := range p.where(func(at *standpoint) bool { return at.in }) {
		if all || p.random.IntN(2) == 0 {
			if err := p.join(name, false); err != nil {
				return err
			}
		}
	}
	for _, name := range p.where(func(at *standpoint) bool { return at.lost }) {
		how := p.random.IntN(10)
		if how == 0 && !all {
			continue
		}
		if err := p.join(name, how > 1); err != nil {
			return err
		}
	}
	return nil
}

// where returns the conversations it knows for which so is true, in the order of modelConversations.
func (p *party) where(so func(*standpoint) bool) (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range modelConversations {
		if at := p.places[name]; at != nil && so(at) {
			names = append(names, name)
		}
	}
	return names
}

// steadily calls f until it succeeds, coming back each time the connection is lost. It gives up after ten times, or at
// any other error.
func (p *party) steadily(f func() error) error {
	for tries := 0; ; tries++ {
		err := f()
		if err == nil || !errors.Is(err, errGone) || tries == 10 {
			return err
		}
		p.drop()
		if err := p.comeBack(true); err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
}

// pause waits on the real clock: the server and the other clients act meanwhile.
func pause(d time.Duration) { <-time.After(d) }
