//go:build race

package filtertest

const raced = true
