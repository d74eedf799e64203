package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// answerLine evaluates one line and returns the parsed contents, or why it is rejected.
type answerLine func(line string) (string, error)

// answerLines answers each line with one line: "ok" and the parsed contents, or "error" and the reason.
func answerLines(in io.Reader, out io.Writer, answer answerLine) error {
	if answer == nil {
		return errors.New("unknown mode")
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<22)
	answers := bufio.NewWriter(out)
	for lines.Scan() {
		read, err := answer(lines.Text())
		text := "ok " + read
		if err != nil {
			text = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if _, err := fmt.Fprintln(answers, text); err != nil {
			return fmt.Errorf("writing answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading lines: %w", err)
	}
	return answers.Flush()
}

// onBytes decodes a line from base64.
func onBytes(read func([]byte) (string, error)) answerLine {
	return func(line string) (string, error) {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return "", err
		}
		return read(bytes)
	}
}
