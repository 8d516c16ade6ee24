// Counts the lines, words and bytes of its standard input, over and over as often as asked, and prints the sums.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	copies := 1
	if err == nil && len(os.Args) > 1 {
		copies, err = strconv.Atoi(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var lines, words, bytes uint64
	for range copies {
		inWord := false
		for _, letter := range text {
			isBlank := letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n'
			if letter == '\n' {
				lines++
			}
			if inWord && isBlank {
				words++
			}
			inWord = !isBlank
		}
		if inWord {
			words++
		}
		bytes += uint64(len(text))
	}
	fmt.Printf("%d lines, %d words, %d bytes\n", lines, words, bytes)
}
