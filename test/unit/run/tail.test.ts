import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { toLogLine } from "../../../src/run/lines";
import { Tail } from "../../../src/run/tail";

describe("Tail", () => {
    let dir: string;
    let file: string;
    beforeEach(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), "stackrun-tail-"));
        file = path.join(dir, "log");
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    async function readAll(tail: Tail): Promise<string[]> {
        let all: string[] = [];
        for (let lines = await tail.next(); lines.length > 0; lines = await tail.next()) {
            all = all.concat(lines);
        }
        return all;
    }

    it("reads whole lines only, and goes on where it was", async () => {
        const tail = new Tail(file, 0);
        expect(await tail.next()).toEqual([]);
        fs.writeFileSync(file, "a\tone\na\ttw");
        expect(await readAll(tail)).toEqual(["a\tone"]);
        fs.appendFileSync(file, "o\n\nend");
        expect(await readAll(tail)).toEqual(["a\ttwo", ""]);
        expect(tail.rest()).toEqual(["end"]);
    });

    it("starts at its offset", async () => {
        fs.writeFileSync(file, "old\nnew\n");
        expect(await readAll(new Tail(file, 4))).toEqual(["new"]);
    });

    it("reads a million lines in order, across chunks", async () => {
        const numbers = Array.from({ length: 1_000_000 }, (_, index) => String(index));
        fs.writeFileSync(file, `${numbers.join("\n")}\n`);
        const lines = await readAll(new Tail(file, 0));
        expect(lines.length).toBe(numbers.length);
        expect(lines.every((line, index) => line === numbers[index])).toBe(true);
    });

    it("survives a megabyte of empty lines", async () => {
        fs.writeFileSync(file, "\n".repeat(1 << 20));
        expect((await readAll(new Tail(file, 0))).length).toBe(1 << 20);
    });

    it("cuts a line of many megabytes, says so, and finds the next one", async () => {
        fs.writeFileSync(file, `${"x".repeat(5_000_000)}\nnext\n`);
        const [long, next] = await readAll(new Tail(file, 0));
        expect(long.length).toBeLessThan(20_000);
        expect(long).toContain("5000000 bytes");
        expect(next).toBe("next");
    });

    it("keeps a character that lies across two chunks", async () => {
        fs.writeFileSync(file, `${"b".repeat((1 << 20) - 3)}\né\n`);
        expect((await readAll(new Tail(file, 0))).at(-1)).toBe("é");
        fs.writeFileSync(file, `${"b\n".repeat((1 << 19) - 1)}cé\n`);
        expect((await readAll(new Tail(file, 0))).at(-1)).toBe("cé");
    });
});

it.each([
    ["load\ttext", { step: "load", text: "text" }],
    ["load\ta\tb", { step: "load", text: "a\tb" }],
    ["runner says", { step: "", text: "runner says" }],
])("splits %j", (line, expected) => expect(toLogLine(line)).toEqual(expected));
