// Package opencalls holds the contract: openapi.yaml, from which everything else follows.
package opencalls

import _ "embed"

// OpenAPI is openapi.yaml, as it is in the repository.
//
//go:embed openapi.yaml
var OpenAPI []byte
