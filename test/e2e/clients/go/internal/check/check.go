// Package check ends a client program at the first thing that is not as it should be: with exit code 1, and one sentence that says what.
package check

import (
	"fmt"
	"os"
	"reflect"
	"time"
)

// Failf ends the program.
func Failf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "FAILED: "+format+"\n", args...)
	os.Exit(1)
}

// Ok ends the program if doing something failed.
func Ok(err error, doing string) {
	if err != nil {
		Failf("%s: %v", doing, err)
	}
}

// That ends the program unless the claim holds.
func That(holds bool, format string, args ...any) {
	if !holds {
		Failf("not so: "+format, args...)
	}
}

// Equal ends the program unless both are deeply equal.
func Equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		Failf("%s: got %#v, want %#v", what, got, want)
	}
}

// Error ends the program unless the error is of a kind, such as apierrors.IsConflict, and says a text.
func Error(err error, is func(error) bool, text, doing string) {
	if err == nil {
		Failf("%s was not refused", doing)
	}
	if !is(err) || err.Error() != text {
		Failf("%s: refused with %q, want %q", doing, err.Error(), text)
	}
}

// Receive takes the next value, and ends the program if none comes within 20 seconds.
func Receive[T any](from <-chan T, what string) T {
	select {
	case value, open := <-from:
		That(open, "%s comes before the end", what)
		return value
	case <-time.After(20 * time.Second):
		Failf("%s did not come in 20 seconds", what)
		panic("unreachable")
	}
}

// Eventually asks until the answer is true, and ends the program if it is not within 20 seconds.
func Eventually(what string, ask func() (bool, error)) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		holds, err := ask()
		if holds {
			return
		}
		if time.Now().After(deadline) {
			Failf("not so after 20 seconds: %s (last error: %v)", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
