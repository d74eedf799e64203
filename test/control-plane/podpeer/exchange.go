package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

const (
	// Of one handshake and the byte that follows it.
	patience = 5 * time.Second
	// Failures whose text is kept.
	maxErrors = 10
)

type files struct {
	credentials, anchors string
}

// tally is served as JSON.
type tally struct {
	mutex sync.Mutex
	// Successful handshakes, by the serial of the server's certificate. Both sides have verified each other.
	Handshakes map[string]int `json:"handshakes"`
	// Clients seen by the server, by the serial of their certificate.
	Clients map[string]int `json:"clients"`
	// Certificates in the file of trust anchors, when it was last read.
	Anchors int      `json:"anchors"`
	Failed  int      `json:"failed"`
	Errors  []string `json:"errors"`
}

// exchangeCommand serves mTLS and makes a new connection to --peer at every --interval. Files are read for each handshake, as an
// application that reloads its certificate does it.
func exchangeCommand() *cobra.Command {
	var f files
	var listen, status, peer, serverName, client string
	var interval time.Duration
	command := &cobra.Command{
		Use:  "exchange",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			t := &tally{Handshakes: map[string]int{}, Clients: map[string]int{}, Errors: []string{}}
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return err
			}
			go serve(listener, f, client, t)
			go dial(command.Context(), f, peer, serverName, interval, t)
			return http.ListenAndServe(status, t)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.credentials, "credentials", "", "file with the key and the certificate chain")
	flags.StringVar(&f.anchors, "anchors", "", "file with the trust anchors")
	flags.StringVar(&listen, "listen", "", "address for mTLS")
	flags.StringVar(&status, "status", "", "address for the tally, in plain HTTP")
	flags.StringVar(&peer, "peer", "", "address to connect to")
	flags.StringVar(&serverName, "server-name", "", "DNS name in the certificate of the peer")
	flags.StringVar(&client, "client-id", "", "the one URI that the certificate of a client has")
	flags.DurationVar(&interval, "interval", 100*time.Millisecond, "time between two connections")
	command.SetContext(context.Background())
	return command
}

// configure gives what one handshake uses, read now. A resumed session would not verify the certificate of the peer again.
func (f files) configure(t *tally) (*tls.Config, error) {
	// Once: kubelet replaces the file, and a key of before does not match a certificate of after.
	bundle, err := os.ReadFile(f.credentials)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(bundle, bundle)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(f.anchors)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no trust anchor")
	}
	t.noteAnchors(bytes.Count(pem, []byte("-----BEGIN CERTIFICATE-----")))
	return &tls.Config{
		Certificates:           []tls.Certificate{certificate},
		RootCAs:                pool,
		ClientCAs:              pool,
		ClientAuth:             tls.RequireAndVerifyClientCert,
		SessionTicketsDisabled: true,
		MinVersion:             tls.VersionTLS13,
	}, nil
}

func serve(listener net.Listener, f files, client string, t *tally) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if err := answer(connection, f, client, t); err != nil {
				t.fail(fmt.Errorf("server: %w", err))
			}
		}()
	}
}

// answer sends one byte to a client that it has verified: in TLS 1.3 the handshake of the client ends before that.
func answer(connection net.Conn, f files, client string, t *tally) error {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	config, err := f.configure(t)
	if err != nil {
		return err
	}
	secure := tls.Server(connection, config)
	if err := secure.Handshake(); err != nil {
		return err
	}
	leaf := secure.ConnectionState().PeerCertificates[0]
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != client {
		return fmt.Errorf("client has the URIs %v", leaf.URIs)
	}
	t.count(t.Clients, leaf)
	_, err = secure.Write([]byte{'k'})
	return err
}

func dial(ctx context.Context, f files, peer, serverName string, interval time.Duration, t *tally) {
	for range time.Tick(interval) {
		leaf, err := connect(ctx, f, peer, serverName, t)
		if err != nil {
			t.fail(fmt.Errorf("client: %w", err))
			continue
		}
		t.count(t.Handshakes, leaf)
	}
}

func connect(ctx context.Context, f files, peer, serverName string, t *tally) (*x509.Certificate, error) {
	config, err := f.configure(t)
	if err != nil {
		return nil, err
	}
	config.ServerName = serverName
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", peer)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	if _, err := connection.Read(make([]byte, 1)); err != nil {
		return nil, err
	}
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

func (t *tally) count(serials map[string]int, leaf *x509.Certificate) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	serials[fmt.Sprintf("%X", leaf.SerialNumber.Bytes())]++
}

func (t *tally) noteAnchors(number int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Anchors = number
}

func (t *tally) fail(err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.Failed++
	if len(t.Errors) < maxErrors {
		t.Errors = append(t.Errors, time.Now().UTC().Format(time.RFC3339Nano)+" "+err.Error())
	}
}

func (t *tally) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(t)
}
