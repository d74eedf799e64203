package main

import (
	_ "github.com/zmap/zlint/v3"
)

func main() {}
