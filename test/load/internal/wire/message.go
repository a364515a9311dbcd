package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Stamp is what a load run writes into the content of each message: the message's number in the run, and when it was due
// by the schedule, on the run's own clock.
type Stamp struct {
	Number uint64
	Due    time.Duration // since the clock's start
}

const (
	stampMark    = `"load:`
	numberDigits = 10
	dueDigits    = 19
	// MinContent is the shortest content, in bytes, that holds a stamp.
	MinContent = len(stampMark) - 1 + numberDigits + 1 + dueDigits + 1
)

var (
	seqField  = []byte(`"seq":`)
	stampText = []byte(stampMark)
	okField   = []byte(`"ok":true`)
	codeField = []byte(`"code":"`)
)

var filler = strings.Repeat("x", 4096)

// AppendContent appends a content of size bytes, at least MinContent, that begins with the stamp. All of it is ASCII that
// needs no escaping in JSON.
func AppendContent(dst []byte, s Stamp, size int) []byte {
	start := len(dst)
	dst = append(dst, stampMark[1:]...)
	dst = appendDigits(dst, s.Number, numberDigits)
	dst = append(dst, ':')
	dst = appendDigits(dst, uint64(s.Due), dueDigits)
	dst = append(dst, ':')
	for missing := size - (len(dst) - start); missing > 0; missing = size - (len(dst) - start) {
		dst = append(dst, filler[:min(missing, len(filler))]...)
	}
	return dst
}

// appendDigits appends v with leading zeros; digits above width are cut off.
func appendDigits(dst []byte, v uint64, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := start + width - 1; i >= start; i-- {
		dst[i] += byte(v % 10)
		v /= 10
	}
	return dst
}

// ScanMessage finds the stamp and the seq of a message event without parsing JSON. It relies on
// two facts of this program's own messages: nothing but the content starts with `"load:`, and
// no string in them holds a quote, so `"seq":` can only be the field.
func ScanMessage(body []byte) (s Stamp, seq uint64, ok bool) {
	at := bytes.Index(body, stampText)
	if at < 0 || at+1+MinContent > len(body) {
		return Stamp{}, 0, false
	}
	digits := body[at+len(stampMark):]
	number, ok1 := fixed(digits[:numberDigits])
	due, ok2 := fixed(digits[numberDigits+1 : numberDigits+1+dueDigits])
	seq, ok3 := ScanSeq(body)
	if !ok1 || !ok2 || !ok3 || digits[numberDigits] != ':' {
		return Stamp{}, 0, false
	}
	return Stamp{Number: number, Due: time.Duration(due)}, seq, true
}

// ScanSeq finds the first `"seq":` and reads its number.
func ScanSeq(body []byte) (uint64, bool) {
	at := bytes.Index(body, seqField)
	if at < 0 {
		return 0, false
	}
	digits := body[at+len(seqField):]
	n := 0
	for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
		n++
	}
	if n > 18 {
		return 0, false
	}
	return fixed(digits[:n])
}

// fixed reads decimal digits and nothing else. b has at most 19, and the value must fit a time.Duration.
func fixed(b []byte) (uint64, bool) {
	var v uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
	}
	return v, len(b) > 0 && v <= 1<<63-1
}

// Accepted reports whether an ack's body says ok, and returns its error code if not.
func Accepted(body []byte) (ok bool, code string) {
	if bytes.Contains(body, okField) {
		return true, ""
	}
	return false, ScanCode(body)
}

// ScanCode returns the value of the first `"code":"…"`, or "UNKNOWN".
func ScanCode(body []byte) string {
	at := bytes.Index(body, codeField)
	if at < 0 {
		return "UNKNOWN"
	}
	rest := body[at+len(codeField):]
	end := bytes.IndexByte(rest, '"')
	if end <= 0 {
		return "UNKNOWN"
	}
	return string(rest[:end])
}

// Message is a message event decoded in full.
type Message struct {
	Type           string `json:"type"`
	ConversationID string `json:"conversationId"`
	UserID         string `json:"userId"`
	Content        string `json:"content"`
	Timestamp      string `json:"timestamp"`
	MessageID      string `json:"messageId"`
	Seq            uint64 `json:"seq"`
}

// DecodeMessage decodes the body of a message event, `["message",{…}]` (further arguments, such
// as a recovery offset, are allowed), and checks every field against the wire contract and
// against what ScanMessage reads from the same bytes.
func DecodeMessage(body []byte, conversation string, size int) (Message, error) {
	var m Message
	if err := decodePayload(body, &m); err != nil {
		return m, err
	}
	_, seq, ok := ScanMessage(body)
	switch {
	case m.Type != "message":
		return m, fmt.Errorf("type is %q", m.Type)
	case m.ConversationID != conversation:
		return m, fmt.Errorf("conversationId is %q, joined %q", m.ConversationID, conversation)
	case m.UserID == "" || m.MessageID == "":
		return m, errors.New("userId or messageId is empty")
	case len(m.Content) != size:
		return m, fmt.Errorf("content has %d bytes, sent %d", len(m.Content), size)
	case !ok || seq != m.Seq:
		return m, fmt.Errorf("seq is %d, the scanner read %d", m.Seq, seq)
	}
	return m, checkTimestamp(m.Timestamp)
}
