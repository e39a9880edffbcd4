package runc

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// complain writes why nothing was started to the two places that engines read: standard error,
// and the runtime's --log, in the format that the engine asked for.
func (w *wrapper) complain(err error) {
	fmt.Fprintln(w.stderr, err)
	if w.call.Log == "" {
		return
	}
	now := time.Now().Format(time.RFC3339)
	line := fmt.Appendf(nil, "time=%q level=error msg=%q\n", now, err)
	if w.call.LogFormat == "json" {
		data, jsonErr := json.Marshal(map[string]string{"level": "error", "msg": err.Error(), "time": now})
		if jsonErr != nil {
			return
		}
		line = append(data, '\n')
	}
	f, err := os.OpenFile(w.call.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return // it is on standard error
	}
	_, _ = f.Write(line)
	f.Close()
}
