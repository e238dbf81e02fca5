package content

import "unicode/utf8"

// jsonText reads one or more JSON texts (RFC 8259) in chunks of any size, in bounded
// memory, and hands on what it reads in one spelling: strings with the escapes of
// RFC 8785 §3.2.2.2, numbers as they are written, no blanks. Strings must be UTF-8
// without unpaired surrogates; a byte order mark is no JSON. Depth is limited.
type jsonText struct {
	to    jsonValues
	state jsonState
	open  [maxJSONDepth]byte // '{' or '[' of every level
	depth int
	bad   bool

	texts     int  // begun
	separate  bool // a line feed stands behind the text read last
	inner     bool // one stands inside a text
	ofKey     bool // the string being read is a key
	key       []byte
	literal   string // what is left to come of true, false or null
	digits    int    // hex digits seen of \uXXXX
	code      rune
	high      rune // a high surrogate, waiting for its low one
	need      int  // bytes to come of a letter
	low, last byte // the range of the next of them
	one       [1]byte
}

// jsonValues takes what a jsonText reads. False ends the reading.
type jsonValues interface {
	begin(open byte) bool // '{' or '['
	end(open byte) bool   // the same
	key(name []byte) bool // in its spelling, with quotes; valid until the call ends
	piece(of []byte) bool // of a string, number or word, in its spelling
	scalar() bool         // such a value has ended
}

const (
	maxJSONDepth = 32
	maxJSONKey   = 4096
)

type jsonState int

const (
	jsonTop     jsonState = iota // between texts
	jsonValue                    // a value is due
	jsonElement                  // a value or ]
	jsonKey                      // a key is due
	jsonMember                   // a key or }
	jsonColon
	jsonComma // a comma or the end of what is open
	jsonString
	jsonEscape
	jsonHex
	jsonPair  // the backslash of a low surrogate
	jsonPairU // and its u
	jsonMinus // in a number: behind the sign
	jsonZero  // behind a leading zero
	jsonInt
	jsonPoint
	jsonFraction
	jsonE
	jsonESign
	jsonExponent
	jsonWord // in true, false or null
)

func (t *jsonText) write(p []byte) {
	for i := 0; i < len(p) && !t.bad; {
		j := i
		switch {
		case p[i] == '"' && (t.state == jsonValue || t.state == jsonElement): // a plain string at once
			if n := plainLetters(p[i+1:]); i+1+n < len(p) && p[i+1+n] == '"' {
				t.put(p[i : i+n+2])
				t.finish()
				i += n + 2
				continue
			}
		case t.state == jsonString && t.need == 0: // runs of plain letters
			j += plainLetters(p[i:])
		case t.state == jsonInt || t.state == jsonFraction || t.state == jsonExponent:
			for j < len(p) && '0' <= p[j] && p[j] <= '9' {
				j++
			}
		}
		if j > i {
			t.put(p[i:j])
			i = j
			continue
		}
		if t.step(p[i]) {
			i++
		}
	}
}

// plainLetters returns how many letters p begins with that stand for themselves.
func plainLetters(p []byte) int {
	for i, c := range p {
		if c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(p)
}

// done reports whether all that was written is whole JSON texts, and if there are
// several, on lines of their own.
func (t *jsonText) done() bool {
	return !t.bad && t.state == jsonTop && t.texts > 0 && (t.texts == 1 || !t.inner)
}

// put hands on bytes of a string, number or word.
func (t *jsonText) put(p []byte) {
	switch {
	case !t.ofKey:
		t.ok(t.to.piece(p))
	case len(t.key)+len(p) > maxJSONKey:
		t.bad = true
	default:
		t.key = append(t.key, p...)
	}
}

func (t *jsonText) putByte(c byte) {
	t.one[0] = c
	t.put(t.one[:])
}

func (t *jsonText) ok(ok bool) {
	if !ok {
		t.bad = true
	}
}

// step takes one byte, or changes the state and is to be called again.
func (t *jsonText) step(c byte) bool {
	switch t.state {
	case jsonString:
		t.letter(c)
		return true
	case jsonEscape, jsonHex, jsonPair, jsonPairU:
		t.escape(c)
		return true
	case jsonWord:
		if c != t.literal[0] {
			t.bad = true
			return true
		}
		t.putByte(c)
		if t.literal = t.literal[1:]; t.literal == "" {
			t.finish()
		}
		return true
	case jsonMinus, jsonZero, jsonInt, jsonPoint, jsonFraction, jsonE, jsonESign, jsonExponent:
		return t.number(c)
	}
	if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
		if c == '\n' {
			t.separate = t.separate || t.state == jsonTop
			t.inner = t.inner || t.state != jsonTop
		}
		return true
	}
	t.token(c)
	return true
}

// token takes a byte that is no blank, between values.
func (t *jsonText) token(c byte) {
	switch t.state {
	case jsonTop:
		if t.texts > 0 && !t.separate || c != '{' && c != '[' {
			t.bad = true
			return
		}
		t.texts++
		t.separate = false
		t.value(c)
	case jsonElement:
		if c == ']' {
			t.close(c)
			return
		}
		t.value(c)
	case jsonValue:
		t.value(c)
	case jsonMember, jsonKey:
		switch {
		case c == '"':
			t.ofKey, t.key = true, append(t.key[:0], '"')
			t.state = jsonString
		case c == '}' && t.state == jsonMember:
			t.close(c)
		default:
			t.bad = true
		}
	case jsonColon:
		t.bad = c != ':'
		t.state = jsonValue
	case jsonComma:
		switch {
		case c != ',':
			t.close(c)
		case t.open[t.depth-1] == '{':
			t.state = jsonKey
		default:
			t.state = jsonValue
		}
	}
}

// value takes the first byte of a value.
func (t *jsonText) value(c byte) {
	switch {
	case c == '{' || c == '[':
		if t.depth == maxJSONDepth {
			t.bad = true
			return
		}
		t.open[t.depth] = c
		t.depth++
		t.state = jsonElement
		if c == '{' {
			t.state = jsonMember
		}
		t.ok(t.to.begin(c))
		return
	case c == '"':
		t.state = jsonString
	case c == 't':
		t.state, t.literal = jsonWord, "rue"
	case c == 'f':
		t.state, t.literal = jsonWord, "alse"
	case c == 'n':
		t.state, t.literal = jsonWord, "ull"
	case c == '-':
		t.state = jsonMinus
	case c == '0':
		t.state = jsonZero
	case '1' <= c && c <= '9':
		t.state = jsonInt
	default:
		t.bad = true
		return
	}
	t.putByte(c)
}

func (t *jsonText) close(c byte) {
	if t.depth == 0 || c != t.open[t.depth-1]+2 { // '{' and '}', '[' and ']'
		t.bad = true
		return
	}
	t.depth--
	t.ok(t.to.end(t.open[t.depth]))
	t.after()
}

// after is behind a value.
func (t *jsonText) after() {
	t.state = jsonComma
	if t.depth == 0 {
		t.state = jsonTop
	}
}

// finish is behind a string, number or word.
func (t *jsonText) finish() {
	t.ok(t.to.scalar())
	t.after()
}

// number takes the next byte of a number; false: it has ended before.
func (t *jsonText) number(c byte) bool {
	digit := '0' <= c && c <= '9'
	next := jsonState(-1)
	switch t.state {
	case jsonMinus:
		switch {
		case c == '0':
			next = jsonZero
		case digit:
			next = jsonInt
		}
	case jsonPoint:
		if digit {
			next = jsonFraction
		}
	case jsonE, jsonESign:
		switch {
		case digit:
			next = jsonExponent
		case t.state == jsonE && (c == '+' || c == '-'):
			next = jsonESign
		}
	default: // where it may end
		switch {
		case c == '.' && (t.state == jsonZero || t.state == jsonInt):
			next = jsonPoint
		case (c == 'e' || c == 'E') && t.state != jsonExponent:
			next = jsonE
		case digit && t.state == jsonZero:
		default:
			t.finish()
			return false
		}
	}
	if next < 0 {
		t.bad = true
		return true
	}
	t.putByte(c)
	t.state = next
	return true
}

// letter takes a byte of a string that is no plain letter.
func (t *jsonText) letter(c byte) {
	switch {
	case t.need > 0:
		if c < t.low || c > t.last {
			t.bad = true
		}
		t.need--
		t.low, t.last = 0x80, 0xbf
		t.putByte(c)
	case c == '"':
		t.putByte(c)
		if !t.ofKey {
			t.finish()
			return
		}
		t.ofKey = false
		t.ok(t.to.key(t.key))
		t.state = jsonColon
	case c == '\\':
		t.state = jsonEscape
	case c < 0xc2 || c > 0xf4: // control characters, and what begins no letter
		t.bad = true
	default: // RFC 3629 §4
		t.need, t.low, t.last = 1, 0x80, 0xbf
		if c >= 0xe0 {
			t.need = 2
		}
		if c >= 0xf0 {
			t.need = 3
		}
		switch c {
		case 0xe0:
			t.low = 0xa0
		case 0xed:
			t.last = 0x9f
		case 0xf0:
			t.low = 0x90
		case 0xf4:
			t.last = 0x8f
		}
		t.putByte(c)
	}
}

// escape takes a byte of an escape.
func (t *jsonText) escape(c byte) {
	switch t.state {
	case jsonPair:
		t.bad = c != '\\'
		t.state = jsonPairU
		return
	case jsonPairU:
		t.bad = c != 'u'
		t.state, t.digits, t.code = jsonHex, 0, 0
		return
	case jsonEscape:
		t.state = jsonString
		switch c {
		case '"', '\\', 'b', 'f', 'n', 'r', 't':
			t.put([]byte{'\\', c})
		case '/':
			t.putByte(c)
		case 'u':
			t.state, t.digits, t.code = jsonHex, 0, 0
		default:
			t.bad = true
		}
		return
	}
	digit := rune(-1)
	switch {
	case '0' <= c && c <= '9':
		digit = rune(c - '0')
	case 'a' <= c && c <= 'f':
		digit = rune(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		digit = rune(c - 'A' + 10)
	}
	if digit < 0 {
		t.bad = true
		return
	}
	t.code = t.code<<4 | digit
	if t.digits++; t.digits < 4 {
		return
	}
	isLow := 0xdc00 <= t.code && t.code <= 0xdfff
	switch {
	case isLow != (t.high != 0):
		t.bad = true
	case isLow:
		t.put(utf8.AppendRune(nil, 0x10000+(t.high-0xd800)<<10+t.code-0xdc00))
		t.high, t.state = 0, jsonString
	case 0xd800 <= t.code && t.code <= 0xdbff:
		t.high, t.state = t.code, jsonPair
	default:
		t.put(spellJSON(t.code))
		t.state = jsonString
	}
}

// spellJSON returns the one spelling of a letter in a string (RFC 8785 §3.2.2.2).
func spellJSON(c rune) []byte {
	switch c {
	case '"', '\\':
		return []byte{'\\', byte(c)}
	case '\b':
		return []byte(`\b`)
	case '\t':
		return []byte(`\t`)
	case '\n':
		return []byte(`\n`)
	case '\f':
		return []byte(`\f`)
	case '\r':
		return []byte(`\r`)
	}
	if c < 0x20 {
		const hex = "0123456789abcdef"
		return []byte{'\\', 'u', '0', '0', hex[c>>4], hex[c&15]}
	}
	return utf8.AppendRune(nil, c)
}
