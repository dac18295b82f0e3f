// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	k1s "github.com/k1s-io/k1s/plugins/sdk/go"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// editPod changes a Pod as its annotation "edit" says, which is a JSON patch that is executed on the typed value.
func editPod(_ context.Context, p *Pod) error {
	d := json.NewDecoder(p.Annotations["edit"])
	for range d.Elements() {
		var op operation
		op.UnmarshalK1s(d)
		if err := op.editSpec(&p.Spec, op.path[1:]); err != nil {
			return err
		}
	}
	return d.End()
}

// reconcilePod does the same for an object in the cluster.
func reconcilePod(ctx context.Context, _ k1s.Request, p *Pod) (k1s.Result, error) {
	return k1s.Result{}, k1s.Edit(ctx, p, func(p *Pod) error { return editPod(ctx, p) })
}

// operation is an operation of a JSON patch (RFC 6902): add, remove, replace or move. A move stays in its list.
type operation struct {
	op         string
	path, from []string
	value      json.Raw
}

// UnmarshalK1s decodes the operation.
func (op *operation) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "op":
			op.op = d.String()
		case "path":
			op.path = strings.Split(d.String(), "/")[1:]
		case "from":
			op.from = strings.Split(d.String(), "/")[1:]
		case "value":
			op.value = d.Raw()
		}
	}
}

var errNotInView = errors.New("the view has no such field")

func (op *operation) editSpec(s *PodSpec, path []string) error {
	if len(path) == 1 && op.op == "remove" {
		return op.removeField(s, path[0])
	}
	switch path[0] {
	case "containers":
		return editList(op, &s.Containers, path[1:], (*operation).editContainer)
	case "tolerations":
		return editList(op, &s.Tolerations, path[1:], func(op *operation, t *Toleration, path []string) error {
			return op.into(t, path)
		})
	case "marks":
		return editList(op, &s.Marks, path[1:], (*operation).editMark)
	case "args":
		d := json.NewDecoder(string(op.value))
		return editAny(op, &s.Args, path[1:], func(arg *string) error {
			*arg = d.String()
			return d.End()
		}, nil)
	case "grid":
		return editAny(op, &s.Grid, path[1:], func(row *[]Mark) error {
			d := json.NewDecoder(string(op.value))
			*row = list[Mark](d)
			return d.End()
		}, func(row *[]Mark, path []string) error { return editList(op, row, path, (*operation).editMark) })
	case "backends":
		if op.op == "remove" {
			delete(s.Backends, path[1])
			return nil
		}
		if s.Backends == nil {
			s.Backends = map[string]Port{}
		}
		port := s.Backends[path[1]]
		err := op.into(&port, path[2:])
		s.Backends[path[1]] = port
		return err
	case "security", "priority":
		var e json.Encoder
		e.BeginObject()
		e.Key(path[0]).Raw(op.value)
		e.EndObject()
		d := json.NewDecoder(string(e.Bytes()))
		s.unmarshal(d)
		return d.End()
	}
	return errNotInView
}

func (op *operation) removeField(s *PodSpec, name string) error {
	switch name {
	case "containers":
		s.Containers = nil
	case "marks":
		s.Marks = nil
	case "security":
		s.Security = Security{}
	case "priority":
		s.Priority = 0
	default:
		return errNotInView
	}
	return nil
}

func (op *operation) editContainer(c *Container, path []string) error {
	switch {
	case path[0] == "ports":
		return editList(op, &c.Ports, path[1:], func(op *operation, p *Port, path []string) error { return op.into(p, path) })
	case op.op == "remove" && path[0] == "name":
		c.Name = ""
		return nil
	}
	return op.into(c, path)
}

func (op *operation) editMark(m *Mark, path []string) error { return op.into(m, path) }

// into decodes the value into an element, or into the field of the element at the rest of the path.
func (op *operation) into(element json.Unmarshaler, path []string) error {
	if len(path) == 0 {
		return op.value.Decode(element)
	}
	var e json.Encoder
	e.BeginObject()
	e.Key(path[0]).Raw(op.value)
	e.EndObject()
	return json.Unmarshal(string(e.Bytes()), element)
}

func editList[T any, P interface {
	*T
	json.Unmarshaler
}](op *operation, all *[]T, path []string, inner func(*operation, *T, []string) error) error {
	return editAny(op, all, path, func(element *T) error { return op.value.Decode(P(element)) },
		func(element *T, path []string) error { return inner(op, element, path) })
}

// editAny executes an operation on a list, or on one of its elements if the path leads further.
func editAny[T any](op *operation, all *[]T, path []string, read func(*T) error, inner func(*T, []string) error) error {
	at := len(*all)
	if path[0] != "-" {
		var err error
		if at, err = strconv.Atoi(path[0]); err != nil || at > len(*all) {
			return errNotInView
		}
	}
	if len(path) > 1 {
		return inner(&(*all)[at], path[1:])
	}
	var element T
	switch op.op {
	case "add":
		if err := read(&element); err != nil {
			return err
		}
	case "move":
		from, err := strconv.Atoi(op.from[len(op.from)-1])
		if err != nil {
			return err
		}
		element = (*all)[from]
		*all = slices.Delete(*all, from, from+1)
	case "remove":
		*all = slices.Delete(*all, at, at+1)
		return nil
	case "replace":
		return read(&(*all)[at])
	}
	*all = slices.Insert(*all, at, element)
	return nil
}
