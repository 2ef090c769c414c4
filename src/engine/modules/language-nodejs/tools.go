//go:build tools

// Package tools pins Pulumi's Node.js language host for `go build`.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
