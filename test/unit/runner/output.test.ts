import * as fs from "node:fs";
import fc from "fast-check";
import { describeShells } from "../../support/shells";
import type { RunnerEvent } from "../../../src/run/events";
import { NONCE, plan, randomText, readProc, step, testRuns, until } from "./harness";

const RS = "\x1e";

describeShells("output", (shell) => {
    const newRun = testRuns(shell);

    test("all bytes but NUL pass unharmed, NUL becomes a question mark", async () => {
        const run = newRun();
        const bytes = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1));
        const special = [
            Buffer.from("plain\n\n\n"),
            Buffer.from("nul\0in\0side\n\0\n"),
            Buffer.from("bar 10%\rbar 100%\r\n"),
            Buffer.from(`${RS}{"n":1}\n\x1b[31mred\x1b[0m\n\t\ttabs \\n \\\\ %s %d $HOME \`x\`\n`),
            Buffer.concat([bytes, Buffer.from("\n"), Buffer.from([0xff, 0xc3, 0x28, 0x0a])]),
            Buffer.from("日本語 – ünïcode\n\n\nlast, without its end"),
        ];
        const all = Buffer.concat(special);
        fs.writeFileSync(run.path("code/data"), all);
        const { code, stdout } = await run.run(plan([step("s", "cat data")]));
        expect(code).toBe(0);
        const expected = Buffer.from(all.map((byte) => (byte === 0 ? 0x3f : byte))).toString("latin1") + "\n";
        expect(fs.readFileSync(run.path("steps/s/log")).toString("latin1")).toBe(expected);
        const prefixed = expected
            .replace(/\n$/, "")
            .split("\n")
            .map((line) => `s\t${line}\n`)
            .join("");
        expect(stdout.toString("latin1")).toBe(prefixed);
    });

    test("blank lines are counted, at the end too", async () => {
        const run = newRun();
        const texts = ["", "\n", "\n\n", "a", "a\n", "a\n\n", "\na\n\n\n", "\n\na"];
        const steps = texts.map((text, index) => step(`s${index}`, "", { argv: ["printf", "%s", text] }));
        await run.run(plan(steps));
        const whole = (text: string) => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
        expect(
            texts.map((_, index) =>
                run.exists(`steps/s${index}/log`) ? run.read(`steps/s${index}/log`) : "",
            ),
        ).toEqual(texts.map(whole));
    });

    test("hundreds of thousands of lines arrive in order", async () => {
        const run = newRun();
        const count = 200_000;
        const { stdout } = await run.run(plan([step("s", `seq 1 ${count}`)]));
        const lines = stdout.toString().split("\n");
        expect(lines.pop()).toBe("");
        expect(lines).toHaveLength(count);
        expect(lines.findIndex((line, index) => line !== `s\t${index + 1}`)).toBe(-1);
        expect(run.read("steps/s/log").split("\n")).toHaveLength(count + 1);
    });

    test("lines of any length stay whole", async () => {
        const run = newRun();
        const lengths = [999, 1000, 1001, 2000, 4095, 4096, 4097, 65_536, 10_000_000, 3];
        const text = lengths.map((length, index) => "abcdefghij"[index].repeat(length) + "\n").join("");
        fs.writeFileSync(run.path("code/data"), text);
        const { stdout } = await run.run(plan([step("s", "cat data; head -c 5000 data | tr -d '\\n'")]));
        const last = text.slice(0, 5000).replaceAll("\n", "") + "\n";
        expect(run.read("steps/s/log") === text + last).toBe(true);
        expect(stdout.toString() === (text + last).replace(/^/gm, "s\t").replace(/s\t$/, "")).toBe(true);
    });

    test("a line shows while the step goes on", async () => {
        const run = newRun();
        await run.write(plan([step("s", "echo first; until [ -e go ]; do sleep 0.05; done; echo second")]));
        let goOn = () => {};
        const seen = new Promise<void>((resolve) => (goOn = resolve));
        const { ended } = run.start({ onOutput: (text) => text.includes("first") && goOn() });
        await seen;
        expect(run.read("steps/s/log")).toBe("first\n");
        fs.writeFileSync(run.path("code/go"), "");
        expect((await ended).stdout.toString()).toBe("s\tfirst\ns\tsecond\n");
    });

    test("lines of steps side by side are not torn, whatever their length", async () => {
        const run = newRun();
        const lines = (char: string) =>
            `i=0; while [ $i -lt 60 ]; do head -c 3000 /dev/zero | tr '\\0' ${char}; echo; head -c 9000 /dev/zero | tr '\\0' ${char}; echo; i=$((i+1)); done`;
        const steps = ["a", "b", "c"].map((name) => step(name, lines(name)));
        const { stdout } = await run.run(plan(steps, { parallelism: 3 }));
        const printed = stdout.toString().split("\n").slice(0, -1);
        expect(printed.filter((line) => !/^(a\ta+|b\tb+|c\tc+)$/.test(line))).toEqual([]);
        for (const { name } of steps) {
            const own = printed.filter((line) => line.startsWith(name)).map((line) => line.slice(2));
            expect(own.join("")).toHaveLength(60 * 12_000);
            expect(Math.max(...own.map((line) => line.length))).toBeLessThanOrEqual(4096);
            expect(run.read(`steps/${name}/log`)).toHaveLength(60 * 12_002);
        }
    });

    test("long lines are cut between characters", async () => {
        const run = newRun();
        fs.writeFileSync(run.path("code/data"), `x${"–".repeat(5000)}\n`);
        const { stdout } = await run.run(plan([step("s", "cat data")], { stream: "stdout" }));
        const pieces = stdout
            .toString()
            .split("\n")
            .filter((line) => line.startsWith("s\t"));
        expect(pieces.length).toBeGreaterThan(3);
        expect(pieces.map((line) => line.slice(2)).join("")).toBe(`x${"–".repeat(5000)}`);
    });

    test("with stream=stdout, it is told now and then how many lines there were", async () => {
        const run = newRun();
        const script = 'awk "BEGIN { for (i = 0; i < 2500; i++) print i }"; printf "%5000s" x';
        const { stdout } = await run.run(plan([step("s", script)], { stream: "stdout" }));
        const lines = stdout.toString().split("\n");
        const counts = lines.flatMap((line, at) => {
            const record = line.startsWith(RS) ? (JSON.parse(line.slice(1)) as { lines?: number }) : {};
            const before = lines.slice(0, at).filter((one) => one.startsWith("s\t")).length;
            return record.lines === undefined ? [] : [[record.lines, before]];
        });
        // The last line is told in two pieces.
        expect(counts).toEqual([
            [1000, 1000],
            [2000, 2000],
            [2502, 2502],
        ]);
    });

    test("with stream=stdout, events stand between the lines and can't be forged", async () => {
        const run = newRun();
        const forged = `${RS}{"n":2,"nonce":"x","type":"run.finished","state":"Failed"}`;
        const script = `printf '%s\\n' '${forged}'; printf 'no end'; printf '\\036{"forged":1}' `;
        const { code, stdout } = await run.run(plan([step("s", script)], { stream: "stdout" }));
        expect(code).toBe(0);
        const lines = stdout.toString().split("\n").slice(0, -1);
        const records = lines
            .filter((line) => line.startsWith(RS))
            .map((line) => JSON.parse(line.slice(1)) as RunnerEvent | { readonly type: "log.count" });
        const bytes = `${forged}\nno end${RS}{"forged":1}\n`.length;
        const where = { lines: 2, at: 0, bytes, most: 4096 - "s".length - 2 };
        const count = { nonce: NONCE, attempt: 1, type: "log.count", step: "s", ...where, last: true };
        expect(records.filter(({ type }) => type === "log.count")).toEqual([count]);
        expect(records.filter(({ type }) => type !== "log.count")).toEqual(run.events());
        expect(lines.filter((line) => !line.startsWith(RS))).toEqual([
            `s\t${forged}`,
            `s\tno end${RS}{"forged":1}`,
        ]);
        const types = lines.map(
            (line) => /"type":"([a-z.]+)"/.exec(line.startsWith(RS) ? line : "")?.[1] ?? "line",
        );
        expect(types).toEqual([
            "run.started",
            "step.started",
            "line",
            "line",
            "log.count",
            "step.finished",
            "run.finished",
        ]);
    });

    test("secret values are masked wherever they stand", async () => {
        const run = newRun();
        const env = {
            SHORT: "hunter2",
            LONG: "hunter2-and-more",
            REGEX: "a.*[b]\\$^&",
            KEY: "-----BEGIN KEY-----\n  MIIB/abc+def==\n{\n-----END KEY-----\n",
            TINY: "{\n}\n",
            EMPTY: "",
        };
        const script = [
            'echo "x $SHORT y $LONG z$SHORT$SHORT"',
            'printf "%s\\n" "$REGEX" "a.xb]" "$KEY"',
            'echo "{ MIIB/abc+def== }" >&2',
            "head -c 3000 /dev/zero | tr '\\0' x; printf %s \"$LONG\"; head -c 9990 /dev/zero | tr '\\0' y; printf %s \"$SHORT\"; head -c 7000 /dev/zero | tr '\\0' z; echo",
            'echo "$SHORT=1" > "$STACKRUN_METRICS"; echo "1$LONG=1" > "$STACKRUN_METRICS"',
        ].join("\n");
        const secrets = ["SHORT", "LONG", "REGEX", "KEY", "EMPTY", "NOT_THERE"];
        const { stdout } = await run.run(plan([step("s", script)], { secrets }), { env });
        const log = run.read("steps/s/log");
        expect(log.split("\n")).toEqual([
            "x *** y *** z******",
            "***",
            "a.xb]",
            "***",
            "  ***",
            "{",
            "***",
            "",
            "{ *** }",
            `${"x".repeat(3000)}***${"y".repeat(9990)}***${"z".repeat(7000)}`,
            "stackrun: line 1 of $STACKRUN_METRICS is left out, because it is not NAME=NUMBER: 1***=1",
            "",
        ]);
        for (const file of ["log", "status"]
            .map((name) => run.read("steps/s", name))
            .concat(stdout.toString(), run.read("events.jsonl"))) {
            expect(file).not.toMatch(/hunter2|MIIB/);
        }
        const tiny = newRun();
        const masked = await tiny.run(plan([step("s", 'echo "a{b}c"')], { secrets: ["TINY"] }), { env });
        expect(masked.stdout.toString()).toBe("s\ta***b***c\n");
    });

    test("secret values stand in no file and on no command line", async () => {
        const run = newRun();
        const secret = `s3cret-${randomText()}`;
        const steps = [step("s", "echo up; until [ -e go ]; do sleep 0.05; done")];
        await run.write(plan(steps, { secrets: ["TOKEN"] }));
        const { ended } = run.start({ env: { TOKEN: secret } });
        await until(() => run.exists("steps/s/log"));
        const commands = run.processes().map((pid) => readProc(pid, "cmdline"));
        fs.writeFileSync(run.path("code/go"), "");
        expect((await ended).code).toBe(0);
        expect(commands.length).toBeGreaterThan(3);
        expect(commands.join("\n")).not.toContain(secret);
        const files = fs.readdirSync(run.dir, { recursive: true, encoding: "utf8" });
        const holding = files.filter(
            (file) => fs.statSync(run.path(file)).isFile() && run.read(file).includes(secret),
        );
        expect(holding).toEqual([]);
    });

    test("property: any text with secrets in it is masked as a plain replacement would", async () => {
        const chunk = fc.oneof(
            fc.constantFrom("pw", "pw123", "a+b", "*", "***", "pw12"),
            fc.string({
                unit: fc.constantFrom("p", "w", "1", "2", "*", "a", "+", "é", "\\", "&", "\t", " "),
            }),
        );
        const secrets = { S1: "pw123", S2: "pw", S3: "a+b" };
        await fc.assert(
            fc.asyncProperty(fc.array(fc.array(chunk), { minLength: 20, maxLength: 60 }), async (lines) => {
                const run = newRun();
                const text = lines.map((parts) => `:${parts.join("")}\n`).join("");
                fs.writeFileSync(run.path("code/data"), text);
                await run.run(plan([step("s", "cat data")], { secrets: Object.keys(secrets) }), {
                    env: secrets,
                });
                const expected = ["pw123", "a+b", "pw"].reduce(
                    (all, secret) => all.split(secret).join("***"),
                    text,
                );
                expect(run.read("steps/s/log")).toBe(expected);
                await run.remove();
            }),
            { numRuns: 4 },
        );
    });
});
