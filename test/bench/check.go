// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// failure is what check panics with.
type failure struct{ err error }

// check ends the current measurement if there is an error, as Fatal ends a test: the panic runs the deferred functions
// up to try, and the rows of the measurement are skipped with the error. So the code of a measurement shows its steps
// and not the handling of their errors. Like Fatal, check must be called on the goroutine of the measurement, or below
// another try.
func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// must returns the value, and ends the current measurement if there is an error.
func must[T any](value T, err error) T {
	check(err)
	return value
}

// try calls a function, and returns the error with which check has ended it.
func try(do func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.err
		default:
			panic(p)
		}
	}()
	do()
	return nil
}

// inBackground runs a function, such as a server, until stop is called, which ends the current measurement if the
// function has returned an error.
func inBackground(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() {
		cancel()
		check(<-done)
	}
}
