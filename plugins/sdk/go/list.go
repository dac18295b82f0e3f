// SPDX-License-Identifier: Apache-2.0

package k1s

import (
	"context"
	"iter"
	"slices"

	"github.com/k1s-io/k1s/plugins/sdk/go/internal/host"
	"github.com/k1s-io/k1s/plugins/sdk/go/json"
)

// ListOptions select the objects to list.
//
// Without FieldSelector, Limit and Continue, objects of the kinds that the plugin reconciles come from the operator's
// cache.
type ListOptions struct {
	// Type is the kind. Only Object needs it, because other types know their kind.
	Type TypeReference
	// Namespace is empty for all namespaces and for a cluster-scoped kind.
	Namespace string
	// LabelSelector has a form such as "app=web,tier in (a, b),!old". Empty selects all objects. See MatchLabels.
	LabelSelector string
	// FieldSelector has a form such as "metadata.name=x". The supported fields depend on the kind.
	FieldSelector string
	// Limit is the maximum number of objects in one page. 0 means no limit.
	Limit int64
	// Continue is the Continue of the previous page.
	Continue string
}

// Page is a list of objects, or one page of it.
type Page[T any] struct {
	Items []T
	// Continue requests the next page. It is empty on the last page.
	Continue string
	// ResourceVersion is the version of the list.
	ResourceVersion string
}

// Pointer is a pointer to a type that is a Resource.
type Pointer[T any] interface {
	*T
	Resource
}

// List reads one page of objects:
//
//	page, err := k1s.List[Category](ctx, k1s.ListOptions{Namespace: "shop"})
func List[T any, P Pointer[T]](ctx context.Context, opts ListOptions) (Page[T], error) {
	ref := opts.Type
	if ref == (TypeReference{}) {
		ref = P(new(T)).TypeRef()
	}
	if ref.APIVersion == "" || ref.Kind == "" {
		return Page[T]{}, NewError(ReasonBadRequest, "list: ListOptions.Type is needed for this type")
	}
	var e json.Encoder
	e.BeginObject()
	ref.WriteMembers(&e)
	optional(&e, "namespace", opts.Namespace)
	optional(&e, "labelSelector", opts.LabelSelector)
	optional(&e, "fieldSelector", opts.FieldSelector)
	if opts.Limit > 0 {
		e.Key("limit").Int(opts.Limit)
	}
	optional(&e, "continue", opts.Continue)
	e.EndObject()
	var page page[T, P]
	err := call(ctx, host.List, &e, &page)
	return page.Page, err
}

// All iterates over all objects. If Limit is set, it reads them page by page. An error ends the loop:
//
//	for cat, err := range k1s.All[Category](ctx, k1s.ListOptions{Limit: 500}) {
//		if err != nil {
//			return err
//		}
//	}
func All[T any, P Pointer[T]](ctx context.Context, opts ListOptions) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for {
			page, err := List[T, P](ctx, opts)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if page.Continue == "" {
				return
			}
			opts.Continue = page.Continue
		}
	}
}

// page decodes a Page.
type page[T any, P Pointer[T]] struct{ Page[T] }

func (p *page[T, P]) UnmarshalK1s(d *json.Decoder) {
	for name := range d.Members() {
		switch name {
		case "metadata":
			for name := range d.Members() {
				switch name {
				case "continue":
					p.Continue = d.String()
				case "resourceVersion":
					p.ResourceVersion = d.String()
				}
			}
		case "items":
			for range d.Elements() {
				var item T
				P(&item).UnmarshalK1s(d)
				p.Items = append(p.Items, item)
			}
		}
	}
}

// MatchLabels returns the label selector for objects with all of these labels.
func MatchLabels(labels map[string]string) string {
	terms := make([]string, 0, len(labels))
	for key, value := range labels {
		terms = append(terms, key+"="+value)
	}
	slices.Sort(terms)
	var selector []byte
	for i, term := range terms {
		if i > 0 {
			selector = append(selector, ',')
		}
		selector = append(selector, term...)
	}
	return string(selector)
}
