package main

import "errors"

func drawGrowth([]record) ([]byte, error) { return nil, errors.New("later") }
