package install

import (
	"fmt"
	"os/exec"
	"strings"
)

// Restart has systemd restart services. Reload is set where their units have changed.
func Restart(units []string, reload bool) error {
	commands := [][]string{append([]string{"restart"}, units...)}
	if reload {
		commands = append([][]string{{"daemon-reload"}}, commands...)
	}
	for _, args := range commands {
		out, err := exec.Command("systemctl", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("not restarted: systemctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
