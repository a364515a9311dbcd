package wire

import (
	"bytes"
	"encoding/json"
)

// Connection is the answer to CONNECT: the id of the socket, and the secret with which it can be recovered, "" if the
// server does not recover connections.
type Connection struct {
	SID string `json:"sid"`
	PID string `json:"pid"`
}

// DecodeConnected decodes the body of a Connected packet.
func DecodeConnected(body []byte) (c Connection, err error) {
	return c, json.Unmarshal(body, &c)
}

// AppendConnect appends the text of a CONNECT with a token. If pid is not "", the CONNECT recovers an earlier connection;
// like socket.io-client, it leaves out the offset if that is "". None of the three may need escaping in JSON.
func AppendConnect(dst []byte, token, pid, offset string) []byte {
	dst = append(dst, "40{"...)
	if pid != "" {
		dst = append(append(append(dst, `"pid":"`...), pid...), `",`...)
		if offset != "" {
			dst = append(append(append(dst, `"offset":"`...), offset...), `",`...)
		}
	}
	return append(append(append(dst, `"token":"`...), token...), `"}`...)
}

// ScanOffset returns what socket.io-client takes for the offset of an event, `["name",…,"offset"]`: the last argument, if
// it is a string, whatever it means. The result is a part of body unless the string has escapes.
func ScanOffset(body []byte) ([]byte, bool) {
	text, isString := bytes.CutSuffix(body, []byte(`"]`))
	if !isString {
		return nil, false
	}
	at := bytes.LastIndexByte(text, '"')
	if at < 1 {
		return nil, false
	}
	last := text[at+1:]
	if text[at-1] != '\\' && bytes.IndexByte(last, '\\') < 0 {
		return last, true
	}
	var args []json.RawMessage
	if json.Unmarshal(body, &args) != nil || len(args) == 0 {
		return nil, false
	}
	var s string
	err := json.Unmarshal(args[len(args)-1], &s)
	return []byte(s), err == nil
}
