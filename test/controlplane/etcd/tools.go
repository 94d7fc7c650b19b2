//go:build tools

// Package tools names what is built of this module, so that go.mod keeps what it needs.
package tools

import _ "go.etcd.io/etcd/server/v3"
