// Stands in for `docker` in tests of the machine's scripts: a container is a process, whose paths are those of its mounts.
// $FAKE holds its state, and files that tests make: no-docker, pull-fails (how often, and the message), oom, cannot-start.
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const base = process.env.FAKE;
const at = (...parts) => path.join(base, ...parts);
const has = (name) => fs.existsSync(at(name));
const of = (name) => at("containers", name);
const imageFile = (name) => at("images", encodeURIComponent(name));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : "");
const pidOf = (name) => Number(read(path.join(of(name), "pid")));
const running = (name) => pidOf(name) > 0 && !fs.existsSync(path.join(of(name), "exit"));

function fail(message, code = 1) {
    process.stderr.write(`${message}\n`);
    process.exit(code);
}

function signal(name, what) {
    if (!running(name)) {
        fail(`Error response from daemon: No such container: ${name}`);
    }
    try {
        process.kill(pidOf(name), what);
    } catch {
        // It has just ended.
    }
}

const VALUED = [
    "--name",
    "--user",
    "--network",
    "--log-driver",
    "--log-opt",
    "--shm-size",
    "--gpus",
    "--device",
];

function parseRun(words) {
    const options = { env: {}, mounts: [], detached: false, remove: false, given: [] };
    while (words[0]?.startsWith("-")) {
        const word = words.shift();
        if (word === "-d") options.detached = true;
        else if (word === "--rm") options.remove = true;
        else {
            const value = words.shift();
            options.given.push(`${word} ${value}`);
            if (word === "-e") options.env[value.split("=")[0]] = value.slice(value.indexOf("=") + 1);
            else if (word === "-v") options.mounts.push(value.split(":"));
            else if (word === "--env-file") readEnv(value, options.env);
            else if (word === "--entrypoint") options.entrypoint = value;
            else if (word === "--name") options.name = value;
            else if (!VALUED.includes(word)) fail(`unknown flag: ${word}`, 125);
        }
    }
    const [image, ...args] = words;
    return { ...options, image, args };
}

function readEnv(file, env) {
    for (const line of fs.readFileSync(file, "utf8").split("\n").filter(Boolean)) {
        env[line.split("=")[0]] ??= line.slice(line.indexOf("=") + 1);
    }
}

function run(words) {
    const {
        env,
        mounts,
        detached,
        remove,
        given,
        entrypoint,
        name = `c${process.pid}`,
        image,
        args,
    } = parseRun(words);
    fs.appendFileSync(at("runs"), `${JSON.stringify({ name, image, given, args })}\n`);
    if (fs.existsSync(of(name))) fail(`Conflict. The container name "/${name}" is already in use`, 125);
    if (!fs.existsSync(imageFile(image))) fail(`Unable to find image '${image}' locally`, 125);
    if (image.endsWith("noshell") || read(imageFile(image)).endsWith("noshell"))
        fail(`exec: "${entrypoint}": stat ${entrypoint}: no such file or directory: unknown.`, 127);
    const sources = mounts
        .map(([from, to]) => [from === "stackrun" ? at("volume") : from, to])
        .sort((a, b) => b[1].length - a[1].length);
    // All at once: what a path has become is not looked at again.
    const pattern = new RegExp(sources.map(([, to]) => `${to}(?![\\w-])`).join("|") || "(?!)", "g");
    const mapped = (text) => text.replace(pattern, (to) => sources.find((mount) => mount[1] === to)[0]);
    const whole = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, mapped(value)]));
    fs.mkdirSync(of(name), { recursive: true });
    const order = {
        name,
        remove,
        argv: [entrypoint, ...args.map(mapped)],
        env: { PATH: process.env.PATH, FAKE: base, ...whole },
    };
    fs.writeFileSync(path.join(of(name), "order"), JSON.stringify(order));
    if (!detached) return supervise(name, "inherit");
    const log = fs.openSync(path.join(of(name), "log"), "a");
    spawn(process.execPath, [__filename, "_supervise", name], {
        detached: true,
        stdio: ["ignore", log, log],
    }).unref();
    process.stdout.write("0123456789abcdef\n");
    return undefined;
}

function supervise(name) {
    const { remove, argv, env } = JSON.parse(read(path.join(of(name), "order")));
    const child = spawn(argv[0], argv.slice(1), {
        env,
        stdio: ["ignore", "inherit", "inherit"],
        detached: true,
    });
    fs.writeFileSync(path.join(of(name), "pid"), String(child.pid));
    // As docker's client does for a container in the foreground.
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("close", (code, killed) => {
        const status = code ?? 128 + { SIGKILL: 9, SIGTERM: 15 }[killed];
        if (remove) fs.rmSync(of(name), { recursive: true, force: true });
        else fs.writeFileSync(path.join(of(name), "exit"), String(status));
        process.exit(status);
    });
}

async function stop(words) {
    const [, seconds, name] = words;
    signal(name, "SIGTERM");
    const deadline = Date.now() + Number(seconds) * 1000;
    while (running(name)) {
        if (Date.now() > deadline) signal(name, "SIGKILL");
        await sleep(30);
    }
}

async function wait(name) {
    if (!fs.existsSync(of(name))) fail(`Error response from daemon: No such container: ${name}`);
    while (read(path.join(of(name), "exit")) === "") await sleep(30);
    process.stdout.write(`${read(path.join(of(name), "exit"))}\n`);
}

function pull(image) {
    fs.appendFileSync(at("pulls"), `${image}\n`);
    const [, times, message] = /^(\d+) (.*)$/.exec(read(at("pull-fails"))) ?? [];
    if (Number(times) > 0 && !image.includes("transfer")) {
        fs.writeFileSync(at("pull-fails"), `${times - 1} ${message}`);
        fail(message);
    }
    fs.mkdirSync(at("images"), { recursive: true });
    fs.writeFileSync(imageFile(image), image);
    fs.writeFileSync(imageFile(`sha256:${image.length}`), image);
    process.stdout.write(`${image}\n`);
}

function imageInspect(words) {
    const format = words[0] === "--format" ? words.splice(0, 2)[1] : "";
    if (!fs.existsSync(imageFile(words[0]))) fail(`Error: No such image: ${words[0]}`);
    const digest = `${words[0].replace(/:[^:/]*$/, "")}@sha256:abc`;
    process.stdout.write(format.includes("RepoDigests") ? `${digest}\n` : `sha256:${words[0].length}\n`);
}

function inspect(words) {
    const name = words.at(-1);
    if (!fs.existsSync(of(name))) fail(`Error: No such object: ${name}`);
    process.stdout.write(`${has("oom")}\n`);
}

const [command, ...words] = process.argv.slice(2);
const COMMANDS = {
    version: () => has("no-docker") && fail("Cannot connect to the Docker daemon"),
    volume: () => {
        fs.mkdirSync(at("volume"), { recursive: true });
        process.stdout.write(`${words[0] === "create" ? "stackrun" : at("volume")}\n`);
    },
    login: () => fs.appendFileSync(at("logins"), `${words.join(" ")} < ${fs.readFileSync(0, "utf8")}\n`),
    pull: () => pull(words.at(-1)),
    image: () => imageInspect(words.slice(1)),
    run: () => run(words),
    _supervise: () => supervise(words[0]),
    stop: () => stop(words),
    kill: () => signal(words.at(-1), words[0] === "--signal" ? "SIGTERM" : "SIGKILL"),
    wait: () => wait(words[0]),
    inspect: () => inspect(words),
    logs: () => process.stdout.write(`${read(path.join(of(words.at(-1)), "log"))}\n`),
    rm: () =>
        words.slice(1).forEach((name) => {
            if (running(name)) signal(name, "SIGKILL");
            fs.rmSync(of(name), { recursive: true, force: true });
        }),
};
if (!COMMANDS[command]) fail(`docker: '${command}' is not a docker command`);
void COMMANDS[command]();
