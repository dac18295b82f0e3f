module github.com/k1s-io/k1s/plugins/sdk/go

go 1.24
