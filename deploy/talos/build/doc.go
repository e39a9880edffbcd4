// Command build makes Batten's system extension of Talos: build [-arch ARCH] [-default] NAME FILE SHIM VERSION POLICY.
package main
