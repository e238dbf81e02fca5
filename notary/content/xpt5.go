package content

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// The profile xpt5/v1 is the SHA-256 of the file with every time stamp replaced by 16
// blanks, and nothing else changed: labels, formats, numbers, and the version and
// system of the SAS that wrote it all count. Source: SAS technical note TS-140.
//
// A file is records of 80 bytes:
//
//	HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000
//	SAS     SAS     SASLIB  9.4     X64_10PR                        21AUG20:09:14:29   created
//	21AUG20:09:14:29                                                                   modified
//
// and then, for every member,
//
//	HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000140
//	HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!000000000000000000000000000000
//	SAS     DM      SASDATA 9.4     X64_10PR                        21AUG20:09:14:29   created
//	21AUG20:09:14:29                Demographics                                       modified
//	HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000002600000000000000000000
//	26 descriptions of 140 (or, by the MEMBER record, 136) bytes; blanks to a whole record
//	HEADER RECORD*******OBS     HEADER RECORD!!!!!!!000000000000000000000000000000
//	observations, one after the other; blanks to a whole record
//
// Nothing says how many observations there are. A record that reads as a MEMBER header
// begins a member only where one can: behind whole observations, whose length is the
// sum of the lengths of the variables, and less than a record of blanks. Elsewhere it
// is data. Where it can begin one, the headers that must follow it do, or the file is
// not read; so no data are ever taken for a stamp, unless any reader would.
//
// What is read strictly besides: stamps are DDMMMYY:HH:MM:SS or all blank, variables
// follow each other without gaps, in the order of their descriptions.
type xpt5 struct {
	sum canonical
	xptReader
}

func (x *xpt5) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && !x.bad {
		if x.filled == 0 && len(p) >= xptRecord {
			x.record(p[:xptRecord], &x.sum) // no copy: most of the bytes come here
			p = p[xptRecord:]
			continue
		}
		m := copy(x.buf[x.filled:], p)
		p = p[m:]
		if x.filled += m; x.filled == xptRecord {
			x.filled = 0
			x.record(x.buf[:], &x.sum)
		}
	}
	return n, nil
}

func (x *xpt5) Sum() ([32]byte, bool) {
	if x.bad || x.filled != 0 || x.state != xptObservations || !x.whole() {
		return [32]byte{}, false
	}
	return x.sum.sum(), true
}

const (
	xptRecord = 80
	xptStamp  = 16
)

// The header records: what comes behind the name is digits and two blanks.
const (
	xptLibraryHeader = "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + xptZeros
	xptMemberHeader  = "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
	xptMember140     = xptMemberHeader + "000000000000000001600000000140  "
	xptMember136     = xptMemberHeader + "000000000000000001600000000136  "
	xptDescriptor    = "HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!" + xptZeros
	xptNamestrHeader = "HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000"
	xptObsHeader     = "HEADER RECORD*******OBS     HEADER RECORD!!!!!!!" + xptZeros
	xptZeros         = "000000000000000000000000000000  "
	xptBlanks        = "                "
)

type xptState int

const (
	xptLibrary      xptState = iota // the LIBRARY record is next
	xptCreated                      // that with the file's time of creation
	xptModified                     // and of modification
	xptMember                       // the MEMBER record
	xptDescribes                    // the DSCRPTR record
	xptMemberNamed                  // name and time of creation of the member
	xptMemberLabel                  // time of modification and label
	xptNamestrs                     // the NAMESTR record
	xptVariables                    // descriptions of variables
	xptObs                          // the OBS record
	xptObservations                 // observations, or the next member
)

// xptReader follows the records of a transport file.
type xptReader struct {
	state  xptState
	bad    bool
	buf    [xptRecord]byte
	filled int

	size    int    // of a description: 140 or 136
	left    int    // descriptions to come
	namestr []byte // of the one that is being read

	length int // of an observation
	at     int // bytes of an observation that is not whole yet
	blanks int // blanks in a row up to here, at most 2 records counted

	// Names are kept for whoever asks where something stands.
	keep    bool
	member  string
	vars    []xptVariable
	records uint64 // whole observations of the member
}

type xptVariable struct {
	name       string
	number     bool
	begin, end int // of its bytes in an observation
}

// whole reports whether a member can end here: behind whole observations and less
// than a record of blanks.
func (x *xptReader) whole() bool {
	return x.at == 0 || x.at < xptRecord && x.blanks >= x.at
}

// record takes one record and writes it to sum, stamps blanked.
func (x *xptReader) record(r []byte, sum interface{ write([]byte) }) {
	if x.state == xptObservations {
		if r[0] != 'H' || !bytes.HasPrefix(r, []byte(xptMemberHeader)) || !x.whole() {
			x.observe(r)
			sum.write(r)
			return
		}
		x.state = xptMember
	}
	stamp := -1 // where one stands
	ok := true
	switch x.state {
	case xptLibrary:
		ok = string(r) == xptLibraryHeader
	case xptCreated:
		ok = bytes.HasPrefix(r, []byte("SAS     SAS     SASLIB  "))
		stamp = xptRecord - xptStamp
	case xptModified:
		stamp = 0
	case xptMember:
		switch string(r) {
		case xptMember140:
			x.size = 140
		case xptMember136:
			x.size = 136
		default:
			ok = false
		}
	case xptDescribes:
		ok = string(r) == xptDescriptor
	case xptMemberNamed:
		ok = string(r[:8]) == "SAS     " && string(r[16:24]) == "SASDATA "
		stamp = xptRecord - xptStamp
		if x.keep {
			x.member, x.vars = strings.TrimRight(string(r[8:16]), " "), nil
		}
	case xptMemberLabel:
		stamp = 0
	case xptNamestrs:
		ok = x.countVariables(r)
	case xptVariables:
		ok = x.describe(r)
	case xptObs:
		ok = string(r) == xptObsHeader
		x.at, x.blanks, x.records = 0, 0, 0
	}
	if stamp >= 0 {
		ok = ok && validStamp(r[stamp:stamp+xptStamp])
	}
	if !ok {
		x.bad = true
		return
	}
	if stamp < 0 {
		sum.write(r)
	} else {
		sum.write(r[:stamp])
		sum.write([]byte(xptBlanks))
		sum.write(r[stamp+xptStamp:])
	}
	// Descriptions take as many records as they need.
	if x.state != xptVariables || x.left == 0 {
		x.state++
	}
}

// countVariables reads the NAMESTR record, which says how many variables there are.
func (x *xptReader) countVariables(r []byte) bool {
	rest, ok := bytes.CutPrefix(r, []byte(xptNamestrHeader))
	if !ok || string(rest[4:]) != "00000000000000000000  " {
		return false
	}
	x.left = 0
	for _, c := range rest[:4] {
		if c < '0' || c > '9' {
			return false
		}
		x.left = 10*x.left + int(c-'0')
	}
	x.length, x.namestr = 0, x.namestr[:0]
	return x.left > 0
}

// describe takes a record of descriptions: type, length, name and position are read.
func (x *xptReader) describe(r []byte) bool {
	for len(r) > 0 && x.left > 0 {
		n := min(x.size-len(x.namestr), len(r))
		x.namestr, r = append(x.namestr, r[:n]...), r[n:]
		if len(x.namestr) < x.size {
			return true
		}
		kind, length := binary.BigEndian.Uint16(x.namestr), int(binary.BigEndian.Uint16(x.namestr[4:]))
		if kind != 1 && kind != 2 || length == 0 || kind == 1 && (length < 2 || length > 8) ||
			int64(binary.BigEndian.Uint32(x.namestr[84:])) != int64(x.length) {
			return false
		}
		x.length += length
		if x.keep {
			x.vars = append(x.vars, xptVariable{strings.TrimRight(string(x.namestr[8:16]), " "), kind == 1, x.length - length, x.length})
		}
		x.namestr = x.namestr[:0]
		x.left--
	}
	return true
}

// observe takes a record of observations.
func (x *xptReader) observe(r []byte) {
	n := len(r) - len(bytes.TrimRight(r, " "))
	if n == xptRecord {
		n = min(x.blanks+n, 2*xptRecord)
	}
	x.blanks = n
	x.at += xptRecord
	x.records += uint64(x.at / x.length)
	x.at %= x.length
}

// validStamp reports whether b is a time as SAS writes it, or blank.
func validStamp(b []byte) bool {
	if string(b) == xptBlanks {
		return true
	}
	const form = "00AAA00:00:00:00"
	for i, c := range b {
		switch form[i] {
		case '0':
			if c < '0' || c > '9' {
				return false
			}
		case ':':
			if c != ':' {
				return false
			}
		}
	}
	return strings.Contains(" JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC ", " "+string(b[2:5])+" ")
}
