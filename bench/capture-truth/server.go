// A server of streams whose TLS is not OpenSSL's: Go's crypto/tls under Go's net/http. It answers as `inferpath reflect` does, with the
// same log of what really happened, so that both can be scored alike.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	random "math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var (
	listen  = flag.String("listen", "[::]:7041", "address and port")
	truth   = flag.String("truth", "", "file of what happened, one line of JSON per request")
	seed    = flag.Int64("seed", 1, "of queue and stalls")
	tokens  = flag.Int("tokens", 40, "events of an answer")
	tokenMs = flag.Float64("token-ms", 20, "between events")
	queue   = flag.String("queue-ms", "80,160", "least and most, before the first")
	stall   = flag.String("stall", "0.02:300", "share of events, and how much later they come, ms")
	http2   = flag.Bool("http2", false, "offer HTTP/2")
)

// CLOCK_MONOTONIC, as Node reads it.
func monoMs() float64 {
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&at)), 0)
	return float64(at.Sec)*1e3 + float64(at.Nsec)/1e6
}

func sleepUntil(ms float64) {
	time.Sleep(time.Duration((ms - monoMs()) * 1e6))
}

type row struct {
	RequestID           string    `json:"requestId"`
	Dialect             string    `json:"dialect"`
	Stream              bool      `json:"stream"`
	HTTPVersion         string    `json:"httpVersion"`
	StartedAt           string    `json:"startedAt"`
	RequestHeadMs       float64   `json:"requestHeadMs"`
	RequestReadMs       float64   `json:"requestReadMs"`
	FirstByteMs         *float64  `json:"firstByteMs"`
	FirstTokenMs        *float64  `json:"firstTokenMs"`
	LastTokenMs         *float64  `json:"lastTokenMs"`
	EndMs               float64   `json:"endMs"`
	QueueMs             float64   `json:"queueMs"`
	PrefillMs           float64   `json:"prefillMs"`
	Tokens              int       `json:"tokens"`
	TokenMs             []float64 `json:"tokenMs"`
	TokenCounts         []int     `json:"tokenCounts"`
	ScheduledMs         []float64 `json:"scheduledMs"`
	BackpressuredEvents []int     `json:"backpressuredEvents"`
	Backpressured       bool      `json:"backpressured"`
	Stalls              []aStall  `json:"stalls"`
	PromptTokens        int       `json:"promptTokens"`
	BytesRead           int       `json:"bytesRead"`
	Aborted             bool      `json:"aborted"`
	Connection          int       `json:"connection"`
	Reused              bool      `json:"reused"`
}

type aStall struct {
	BeforeToken int     `json:"beforeToken"`
	BeforeEvent int     `json:"beforeEvent"`
	Ms          float64 `json:"ms"`
}

// What is drawn, and what is written, one at a time.
var (
	lock  sync.Mutex
	draws *random.Rand
	used  = map[int]bool{}
	sink  *os.File
)

func draw() float64 {
	lock.Lock()
	defer lock.Unlock()
	return draws.Float64()
}

func pair(text, by string) (float64, float64) {
	a, b, _ := strings.Cut(text, by)
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX != nil || errY != nil {
		log.Fatalf("Cannot read %q as two numbers with %q between them", text, by)
	}
	return x, y
}

func answer(w http.ResponseWriter, r *http.Request) {
	headMs := monoMs()
	body, err := io.ReadAll(r.Body)
	readMs := monoMs()
	if err != nil {
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, port, _ := net.SplitHostPort(r.RemoteAddr)
	connection, _ := strconv.Atoi(port)
	lock.Lock()
	reused := used[connection]
	used[connection] = true
	lock.Unlock()

	low, high := pair(*queue, ",")
	share, stallMs := pair(*stall, ":")
	queueMs := low + (high-low)*draw()
	of := row{
		RequestID: r.Header.Get("x-request-id"), Dialect: "openai-chat", Stream: true,
		HTTPVersion: fmt.Sprintf("%d.%d", r.ProtoMajor, r.ProtoMinor), StartedAt: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestHeadMs: headMs, RequestReadMs: readMs, QueueMs: queueMs, TokenMs: []float64{}, TokenCounts: []int{}, ScheduledMs: []float64{},
		BackpressuredEvents: []int{}, Stalls: []aStall{}, BytesRead: len(body), PromptTokens: len(body) / 4, Connection: connection, Reused: reused,
	}
	w.Header().Set("content-type", "text/event-stream")
	w.Header().Set("cache-control", "no-cache")
	flusher := http.NewResponseController(w)
	due := readMs + queueMs
	for i := 0; i < *tokens; i++ {
		if i > 0 {
			due += *tokenMs
			if draw() < share {
				due += stallMs
				of.Stalls = append(of.Stalls, aStall{i, i, stallMs})
			}
		}
		sleepUntil(due)
		now := monoMs()
		if i == 0 {
			of.FirstByteMs, of.FirstTokenMs = &now, &now
		}
		fmt.Fprintf(w, "data: {\"id\":\"chatcmpl-%08x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"reflect\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word%d \"},\"finish_reason\":null}]}\n\n", connection, i)
		if err := flusher.Flush(); err != nil {
			of.Aborted = true
			break
		}
		of.TokenMs = append(of.TokenMs, now)
		of.TokenCounts = append(of.TokenCounts, 1)
		of.ScheduledMs = append(of.ScheduledMs, due)
		of.Tokens++
	}
	if n := len(of.TokenMs); n > 0 {
		of.LastTokenMs = &of.TokenMs[n-1]
	}
	fmt.Fprintf(w, "data: {\"id\":\"chatcmpl-%08x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"reflect\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", connection)
	fmt.Fprintf(w, "data: {\"id\":\"chatcmpl-%08x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"reflect\",\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\ndata: [DONE]\n\n", connection, of.PromptTokens, of.Tokens, of.PromptTokens+of.Tokens)
	flusher.Flush()
	of.EndMs = monoMs()
	line, _ := json.Marshal(of)
	lock.Lock()
	defer lock.Unlock()
	sink.Write(append(bytes.TrimSpace(line), '\n'))
}

func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func main() {
	flag.Parse()
	draws = random.New(random.NewSource(*seed))
	var err error
	if sink, err = os.OpenFile(*truth, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Addr: *listen, Handler: http.HandlerFunc(answer), ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{selfSigned()}, MinVersion: tls.VersionTLS13},
	}
	if !*http2 {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}
