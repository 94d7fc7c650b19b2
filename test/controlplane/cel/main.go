// Command cel answers what Kubernetes makes of CEL: it reads one operation a line as JSON, and writes one answer a line in the same order.
//
// An operation has an "op": "expression" (see expression.go), "rules" (see rules.go), "admission" (see admission.go) or
// "typecheck" (see typecheck.go). A line that is no operation ends the program.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const maxLineBytes = 64 << 20

func main() {
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerAll(in io.Reader, out io.Writer) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxLineBytes)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for scanner.Scan() {
		answer, err := answerLine(scanner.Bytes())
		if err != nil {
			return fmt.Errorf("%w in the line %s", err, scanner.Bytes())
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return scanner.Err()
}

func answerLine(line []byte) (any, error) {
	var kind struct {
		Op string `json:"op"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return nil, err
	}
	switch kind.Op {
	case "expression":
		var question expressionQuestion
		if err := decodeStrictly(line, &question); err != nil {
			return nil, err
		}
		return answerExpression(question)
	case "rules":
		var question rulesQuestion
		if err := decodeStrictly(line, &question); err != nil {
			return nil, err
		}
		return answerRules(question)
	case "admission":
		var question admissionQuestion
		if err := decodeStrictly(line, &question); err != nil {
			return nil, err
		}
		return answerAdmission(question)
	case "typecheck":
		var question typecheckQuestion
		if err := decodeStrictly(line, &question); err != nil {
			return nil, err
		}
		return answerTypecheck(question)
	default:
		return nil, fmt.Errorf("unknown op %q", kind.Op)
	}
}

func decodeStrictly(line []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
