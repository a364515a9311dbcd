package websocket

import (
	"strconv"
	"unicode/utf8"
)

// CloseCode is the status of a Close frame (RFC 6455 §7.4).
type CloseCode uint16

// The status codes of §7.4.1 and of the IANA registry that extends it.
const (
	CloseNormal             CloseCode = 1000
	CloseGoingAway          CloseCode = 1001
	CloseProtocolError      CloseCode = 1002
	CloseUnsupportedData    CloseCode = 1003
	CloseNoStatus           CloseCode = 1005 // never on the wire: stands for a Close frame without a body
	CloseAbnormal           CloseCode = 1006 // never on the wire: stands for a connection that ended without a Close frame
	CloseInvalidPayload     CloseCode = 1007
	ClosePolicyViolation    CloseCode = 1008
	CloseMessageTooBig      CloseCode = 1009
	CloseMandatoryExtension CloseCode = 1010
	CloseInternalError      CloseCode = 1011
	CloseServiceRestart     CloseCode = 1012
	CloseTryAgainLater      CloseCode = 1013
	CloseBadGateway         CloseCode = 1014
	CloseTLSHandshake       CloseCode = 1015 // never on the wire
)

// CloseError reports a violation of the protocol, or of a limit, by the peer. Code is the status to send in the Close
// frame that answers it. Values are shared: do not modify them.
type CloseError struct {
	Code   CloseCode
	Reason string
}

// Error describes the violation, with its code.
func (e *CloseError) Error() string {
	return "websocket: " + e.Reason + " (close " + strconv.Itoa(int(e.Code)) + ")"
}

// ParseClose reads the body of a Close frame. An empty body gives [CloseNoStatus]. The reason aliases body.
//
// It fails with a *[CloseError]: 1002 for a body of one byte or a code that must not appear on the wire (§7.4), 1007
// for a reason that is not UTF-8 (§8.1). A [Decoder] has already checked the bodies of the Close frames that it
// delivers.
func ParseClose(body []byte) (CloseCode, []byte, error) {
	if len(body) == 0 {
		return CloseNoStatus, nil, nil
	}
	if len(body) == 1 {
		return 0, nil, errCloseBody
	}
	code, reason := CloseCode(body[0])<<8|CloseCode(body[1]), body[2:]
	if !code.onWire() {
		return 0, nil, errCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, errCloseReason
	}
	return code, reason, nil
}

// onWire reports whether a peer may send the code: it must be defined by §7.4.1 or the registry, or lie in the ranges
// that §7.4.2 gives to libraries and applications.
func (c CloseCode) onWire() bool {
	switch {
	case c >= CloseNormal && c <= CloseUnsupportedData:
		return true
	case c >= CloseInvalidPayload && c <= CloseBadGateway:
		return true
	default:
		return c >= 3000 && c <= 4999
	}
}

// The violations that a Decoder reports, allocated once so that a flood of bad frames creates no garbage.
var (
	errReservedBits   = &CloseError{CloseProtocolError, "reserved bits set without an extension"}
	errInflate        = &CloseError{CloseInvalidPayload, "message cannot be decompressed"}
	errReservedOpcode = &CloseError{CloseProtocolError, "reserved opcode"}
	errUnmasked       = &CloseError{CloseProtocolError, "client frame is not masked"}
	errControlSplit   = &CloseError{CloseProtocolError, "control frame is fragmented"}
	errControlLength  = &CloseError{CloseProtocolError, "control frame is longer than 125 bytes"}
	errContinuation   = &CloseError{CloseProtocolError, "continuation without a message"}
	errInterrupted    = &CloseError{CloseProtocolError, "new message before the last one ended"}
	errLengthForm     = &CloseError{CloseProtocolError, "payload length is not in its shortest form"}
	errLengthSign     = &CloseError{CloseProtocolError, "payload length has its top bit set"}
	errCloseBody      = &CloseError{CloseProtocolError, "close body of one byte"}
	errCloseCode      = &CloseError{CloseProtocolError, "close code is not allowed"}
	errCloseReason    = &CloseError{CloseInvalidPayload, "close reason is not UTF-8"}
	errText           = &CloseError{CloseInvalidPayload, "text message is not UTF-8"}
	errFragments      = &CloseError{ClosePolicyViolation, "too many fragments"}
	errTooBig         = &CloseError{CloseMessageTooBig, "message is too big"}
)
