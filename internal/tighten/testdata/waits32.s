@ waits32.arm is this whole program of 32-bit ARM: it says "ready", reads a byte, and exits with 0 if it
@ got one. The file has nothing but an ELF header, one program header and this, at 0x10054:
@   arm-none-eabi-as waits32.s
	mov	r0, #1
	add	r1, pc, #40	@ ready
	mov	r2, #6
	mov	r7, #4
	svc	0		@ write
	mov	r0, #0
	mov	r1, sp
	mov	r2, #1
	mov	r7, #3
	svc	0		@ read
	rsb	r0, r0, #1
	mov	r7, #1
	svc	0		@ exit
ready:	.ascii	"ready\n\0\0"
