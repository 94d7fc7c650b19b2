// Command apply answers what Kubernetes' own code for server-side apply answers: it reads one case of JSON a line from standard
// input, and writes one answer of JSON a line to standard output, in the same order. Cases know nothing of each other. The fields of cases and
// answers are those of the structs in this package; test/differential/apply/cases.ts has the same as TypeScript.
//
// The managers of fields ask the system what time it is, and a case says it itself. That is what testing/synctest is for, and why this is a
// test as far as Go is concerned.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

func main() {
	// They would wait between two errors, by a clock that each case has its own of.
	utilruntime.ErrorHandlers = nil
	everything := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: "answer", F: func(t *testing.T) {
		if err := answerAll(t, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		// Before the testing package adds its verdict to the answers.
		os.Exit(0)
	}}}, nil, nil)
}

// answerAll answers every line, as many at a time as there are processors.
func answerAll(t *testing.T, in io.Reader, out io.Writer) error {
	type job struct {
		line   []byte
		answer chan []byte
	}
	jobs := make(chan job)
	// Bounds how many answers wait for an earlier one.
	inOrder := make(chan job, 64)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for job := range jobs {
				job.answer <- answerLine(t, job.line)
			}
		}()
	}
	readError := make(chan error, 1)
	go func() {
		defer close(inOrder)
		reader := bufio.NewReaderSize(in, 1<<20)
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 {
				next := job{line, make(chan []byte, 1)}
				inOrder <- next
				jobs <- next
			}
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				readError <- err
				return
			}
		}
	}()
	writer := bufio.NewWriterSize(out, 1<<20)
	for next := range inOrder {
		if _, err := writer.Write(append(<-next.answer, '\n')); err != nil {
			return err
		}
		if len(inOrder) == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return <-readError
}

// failure says that a case could not be answered: it is no case, or Kubernetes' code panicked.
type failure struct {
	Failure string `json:"failure"`
}

func answerLine(t *testing.T, line []byte) []byte {
	encoded, err := json.Marshal(answer(t, line))
	if err != nil {
		encoded, _ = json.Marshal(failure{err.Error()})
	}
	return encoded
}

func answer(t *testing.T, line []byte) (result any) {
	defer func() {
		if cause := recover(); cause != nil {
			result = failure{fmt.Sprintf("panic: %v\n%s", cause, debug.Stack())}
		}
	}()
	var head struct {
		Kind string `json:"kind"`
	}
	err := json.Unmarshal(line, &head)
	if err == nil {
		switch head.Kind {
		case "sets":
			result, err = answerSets(line)
		case "typed":
			result, err = answerTyped(line)
		case "managed":
			result, err = answerManaged(t, line)
		case "scale":
			result, err = answerScale(line)
		default:
			err = fmt.Errorf("unknown kind of case %q", head.Kind)
		}
	}
	if err != nil {
		return failure{err.Error()}
	}
	return result
}
