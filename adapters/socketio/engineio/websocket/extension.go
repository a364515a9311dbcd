package websocket

import (
	"math"
	"net/textproto"
	"strconv"
	"strings"
)

// extensionDeflate is the only extension that is negotiated (RFC 7692).
const extensionDeflate = "permessage-deflate"

const (
	// maxOffers is the largest total size of the Sec-WebSocket-Extensions fields, in bytes, from which an offer is
	// accepted. Clients need about a hundred.
	maxOffers = 4096

	minWindowBits = 8
	maxWindowBits = 15
)

// negotiateDeflate picks the first acceptable offer of permessage-deflate (RFC 7692 §5, §7.1). It returns the answer to
// it, "" if there is none, and the largest message that may be sent compressed, in bytes.
func negotiateDeflate(offers []string) (answer string, largest int) {
	total := 0
	for _, list := range offers {
		total += len(list)
	}
	if total > maxOffers {
		return "", 0
	}
	for _, list := range offers {
		for list != "" {
			var offer string
			offer, list, _ = strings.Cut(list, ",")
			name, params, _ := strings.Cut(offer, ";")
			if !strings.EqualFold(textproto.TrimString(name), extensionDeflate) {
				continue
			}
			if bits, ok := readOffer(params); ok {
				return acceptDeflate(bits)
			}
		}
	}
	return "", 0
}

// acceptDeflate answers an offer. Every message is compressed on its own, in both directions (§7.1.1): so nothing is
// kept between messages, and a compressed message is the same for every client. bits is the server_max_window_bits of
// the offer, 0 if it has none.
func acceptDeflate(bits int) (answer string, largest int) {
	answer = extensionDeflate + "; server_no_context_takeover; client_no_context_takeover"
	if bits == 0 {
		return answer, math.MaxInt
	}
	answer += "; server_max_window_bits=" + strconv.Itoa(bits)
	if bits == maxWindowBits {
		return answer, math.MaxInt
	}
	// No reference reaches back further than the beginning of its message, so messages that fit into the smaller window
	// keep to it, whatever window the encoder uses.
	return answer, 1 << bits
}

// readOffer reads the parameters of one offer. As §7.1 demands, an offer is declined if a parameter is unknown,
// repeated, or has an invalid value.
func readOffer(params string) (serverBits int, ok bool) {
	var seen []string
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, hasValue := strings.Cut(param, "=")
		name = strings.ToLower(textproto.TrimString(name))
		for _, s := range seen {
			if s == name {
				return 0, false
			}
		}
		seen = append(seen, name)
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = !hasValue
		case "server_max_window_bits":
			serverBits, ok = readWindowBits(value)
		case "client_max_window_bits":
			// The decoder's window is the largest possible, so any value will do.
			_, ok = readWindowBits(value)
			ok = ok || !hasValue
		default:
			ok = false
		}
		if !ok {
			return 0, false
		}
	}
	return serverBits, true
}

// readWindowBits reads 8 to 15 in decimal without leading zeros (§7.1.2), either plain or quoted.
func readWindowBits(value string) (bits int, ok bool) {
	value = textproto.TrimString(value)
	if n := len(value); n > 2 && value[0] == '"' && value[n-1] == '"' {
		value = value[1 : n-1]
	}
	bits, err := strconv.Atoi(value)
	return bits, err == nil && bits >= minWindowBits && bits <= maxWindowBits && strconv.Itoa(bits) == value
}
