module github.com/k1s-io/k1s/plugins/item-validator

go 1.24

require github.com/k1s-io/k1s/plugins/sdk/go v0.0.0

replace github.com/k1s-io/k1s/plugins/sdk/go => ../sdk/go
