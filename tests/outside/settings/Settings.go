// Settings to paste, as Go's net/http understands them: `Settings ADDRESS..`. A line for each address says what came of a
// call that reads all of its answer.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	@GO@
	_ = net.Dialer{}
	for _, address := range os.Args[1:] {
		start := time.Now()
		answer, err := client.Get(address)
		if err == nil {
			_, err = io.ReadAll(answer.Body)
		}
		outcome := "answered"
		if err != nil {
			outcome = "ended: " + err.Error()
		}
		fmt.Printf("Go net/http\t%s\t%d\t%s\n", address, time.Since(start).Milliseconds(), outcome)
	}
}
