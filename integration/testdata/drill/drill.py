# What main.go does, in Python: threads count, send what they count over TCP connections that echo,
# and start other programs. At SIGTERM each thread makes the call.
import errno, os, signal, socket, subprocess, sys, threading, time

COUNTERS, CONNECTIONS, STARTERS, PATIENCE = 20, 4, 1, 10
AF_ALG = 38

counts = [0] * (COUNTERS + CONNECTIONS + STARTERS)
came, failed = [], []
asked = threading.Event()


def attempt():
    try:
        socket.socket(AF_ALG, socket.SOCK_SEQPACKET).close()
        return "OK"
    except OSError as e:
        return errno.errorcode[e.errno]


def sleeps():
    time.sleep(0.02)


def starts():
    subprocess.run(["/bin/true"], check=True)
    time.sleep(0.1)


def echoes():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()

    def serve():
        while True:
            server.sendall(server.recv(100))

    threading.Thread(target=serve, daemon=True).start()

    def exchange():
        sent = b"%08d" % time.monotonic_ns()
        client.sendall(sent)
        got = b""
        while len(got) < len(sent):
            part = client.recv(100)
            if not part:
                raise EOFError("the connection is closed")
            got += part
        if got != sent:
            raise ValueError(f"got {got}, sent {sent}")
        time.sleep(0.02)

    return exchange


def works(i, work):
    try:
        while not asked.is_set():
            work()
            counts[i] += 1
        came.append(attempt())
        while True:
            work()
            counts[i] += 1
    except Exception as e:
        failed.append(f"{work.__qualname__}: {e!r}")


def wait(what, test):
    until = time.monotonic() + PATIENCE
    while not test():
        if failed or time.monotonic() > until:
            print("harmed:", what, failed, flush=True)
            os._exit(1)
        time.sleep(0.001)


def goes_on():
    was = list(counts)
    wait("a counter stands still", lambda: all(now > then for now, then in zip(counts, was)))


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
jobs = [sleeps] * COUNTERS + [echoes() for _ in range(CONNECTIONS)] + [starts] * STARTERS
for i, job in enumerate(jobs):
    threading.Thread(target=works, args=(i, job), daemon=True).start()
print("before:", attempt())
goes_on()
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
asked.set()
wait("a thread does not make the call", lambda: len(came) == len(jobs))
for each in came:
    print("AF_ALG:", each)
goes_on()
if failed:
    print("harmed:", failed)
    sys.exit(1)
print("unharmed", flush=True)
os._exit(0)
