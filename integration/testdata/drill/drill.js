// What main.go does, in JavaScript: threads count and start other programs, and send what they
// count over TCP connections that echo. At SIGTERM each thread starts a program that makes the call:
// by itself JavaScript cannot.
const { Worker, isMainThread, parentPort } = require("worker_threads");
const { spawnSync } = require("child_process");
const net = require("net");

const COUNTERS = 6, CONNECTIONS = 4, PATIENCE = 10000;

const attempt = () => spawnSync("/probe", ["call", "alg"]).stdout.toString().replace("alg: ", "").trim();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// counter is what a thread of its own does, until it is asked.
async function counter() {
	parentPort.on("message", () => parentPort.postMessage({ came: attempt() }));
	for (let n = 1; ; n++) {
		if (n % 10 === 0 && spawnSync("/bin/true").status !== 0) throw new Error("/bin/true fails");
		parentPort.postMessage({ count: n });
		await sleep(20);
	}
}

const counts = new Array(COUNTERS + CONNECTIONS).fill(0);
const came = [];

function harmed(...why) {
	console.log("harmed:", ...why);
	process.exit(1);
}

async function wait(what, test) {
	for (const until = Date.now() + PATIENCE; !test(); await sleep(1)) if (Date.now() > until) harmed(what);
}

function goesOn() {
	const was = [...counts];
	return wait("a counter stands still", () => counts.every((now, i) => now > was[i]));
}

// echoes sends what it counts to a server that sends it back.
function echoes(i) {
	const server = net.createServer((c) => c.pipe(c)).listen(0, "127.0.0.1", () => {
		const client = net.connect(server.address().port, "127.0.0.1");
		const send = () => client.write(String(counts[i]).padStart(8, "0"));
		let got = "";
		client.on("data", (data) => {
			got += data;
			if (got.length < 8) return;
			if (got !== String(counts[i]).padStart(8, "0")) harmed("got", got, "sent", counts[i]);
			got = "";
			counts[i]++;
			setTimeout(send, 20);
		});
		client.on("close", () => harmed("a connection is closed"));
		send();
	});
}

async function main() {
	const asked = new Promise((done) => process.on("SIGTERM", done));
	const threads = [];
	for (let i = 0; i < COUNTERS; i++) {
		const thread = new Worker(__filename, { workerData: i });
		thread.on("error", (e) => harmed(e));
		thread.on("message", (m) => (m.came ? came.push(m.came) : (counts[i] = m.count)));
		threads.push(thread);
	}
	for (let i = 0; i < CONNECTIONS; i++) echoes(COUNTERS + i);
	console.log("before: " + attempt());
	await goesOn();
	console.log("ready");
	await asked;
	for (const thread of threads) thread.postMessage("call");
	came.push(attempt());
	await wait("a thread does not make the call", () => came.length === COUNTERS + 1);
	for (const each of came) console.log("AF_ALG: " + each);
	await goesOn();
	console.log("unharmed");
	process.exit(0);
}

isMainThread ? main() : counter();
