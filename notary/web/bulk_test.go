package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Strangers who announce large submissions and send nothing hold every place for
// large bodies. They lose it to the next who comes, and whoever sends gets in.
func TestStalledSubmissionsGiveWay(t *testing.T) {
	w := newWorld(t)
	s := httptest.NewServer(w.handler)
	defer s.Close()
	var stalled []net.Conn
	for range 64 {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /submissions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
		stalled = append(stalled, c)
	}
	var notes []string
	for range 40 {
		notes = append(notes, string(w.data("site-001", w.one).Raw))
	}
	body, err := json.Marshal(map[string]any{"statements": notes})
	if err != nil || len(body) < 13<<10 {
		t.Fatal(len(body), err)
	}
	post := func() int {
		r, err := http.Post(s.URL+"/submissions", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r.StatusCode
	}
	begin := time.Now()
	for post() == http.StatusAccepted && time.Since(begin) < 3*time.Second { // not all of them are there yet
		time.Sleep(20 * time.Millisecond)
	}
	for post() != http.StatusAccepted {
		if time.Since(begin) > 12*time.Second {
			t.Fatal("nobody gets in")
		}
		time.Sleep(100 * time.Millisecond)
	}
	// Some of the stalled were told so; the others may go on.
	told := make(chan string, len(stalled))
	for _, c := range stalled {
		go func() {
			c.SetReadDeadline(time.Now().Add(3 * time.Second))
			line, _ := bufio.NewReader(c).ReadString('\n')
			told <- line
		}()
	}
	n := 0
	for range stalled {
		if <-told == "HTTP/1.1 408 Request Timeout\r\n" {
			n++
		}
	}
	if n == 0 || n == len(stalled) {
		t.Fatalf("%d of %d were told that their time is over", n, len(stalled))
	}
}
