import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import {
    collectArtifacts,
    logTail,
    LOG_TAIL_BYTES,
    markAttempt,
    prepareRunDir,
    readEvents,
    readMark,
} from "../../../src/run/record";
import { useFolder } from "../../support/folder";
import { pipelineOf } from "../../support/pipelines";

const folder = useFolder();
const write = (name: string, content: string | Buffer) => {
    const file = path.join(folder(), name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the log's tail", () => {
    it("is the whole of a short log, each line with its step", async () => {
        write("log", "load\tone\nload\ta\tb\n");
        expect(await logTail(folder())).toBe("load | one\nload | a\tb\n");
    });

    it("is empty when there is no log", async () => expect(await logTail(folder())).toBe(""));

    it("of a long log is its last whole lines, and never more than 64 KiB", async () => {
        write("log", Array.from({ length: 20_000 }, (_, index) => `load\tline ${index}\n`).join(""));
        const tail = await logTail(folder());
        expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(LOG_TAIL_BYTES);
        expect(Buffer.byteLength(tail)).toBeGreaterThan(LOG_TAIL_BYTES - 100);
        expect(tail).toMatch(/^load \| line \d+\n/);
        expect(tail).toMatch(/load \| line 19999\n$/);
    });

    it("keeps within its bounds when the log is no UTF-8", async () => {
        write(
            "log",
            Buffer.concat([Buffer.from("a\t"), Buffer.alloc(100_000, 0xff), Buffer.from("\na\tend\n")]),
        );
        const tail = await logTail(folder());
        expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(LOG_TAIL_BYTES);
        expect(tail).toBe("a | end\n");
    });
});

describe("the events of a record", () => {
    it("are read without a torn last line, and without a torn one in the middle", async () => {
        write("events.jsonl", '{"n":1}\n{"n":2,"ty\n{"n":2}\n{"n":3');
        expect(await readEvents(folder())).toEqual([{ n: 1 }, { n: 2 }]);
    });

    it("are none when there is no file", async () => expect(await readEvents(folder())).toEqual([]));
});

it("notes once where an attempt's part of the record begins", async () => {
    const run = { runId: "r", attempt: 2, runDir: folder() };
    await prepareRunDir(folder());
    write("log", "12345");
    write("events.jsonl", "123");
    expect(await markAttempt(run, 7)).toEqual({ logOffset: 5, eventsOffset: 3, graceSeconds: 7 });
    write("log", "1234567890");
    expect(await markAttempt(run, 7)).toEqual({ logOffset: 5, eventsOffset: 3, graceSeconds: 7 });
    expect(await readMark({ ...run, attempt: 3 })).toBeUndefined();
});

it("tells size and SHA-256 of files and folders, and leaves out what is not there", async () => {
    const [step] = pipelineOf("load").steps;
    const pipeline = { ...pipelineOf(), steps: [{ ...step, outputs: ["a.txt", "dir", "missing"] }] };
    write("steps/load/outputs/a.txt", "hello");
    write("steps/load/outputs/dir/b", "1");
    write("steps/load/outputs/dir/a", "22");
    const found = await collectArtifacts(folder(), pipeline);
    expect(found).toEqual({
        "load/a.txt": {
            uri: path.join(folder(), "steps/load/outputs/a.txt"),
            size: 5,
            sha256: sha256("hello"),
        },
        "load/dir": {
            uri: path.join(folder(), "steps/load/outputs/dir"),
            size: 3,
            sha256: sha256(`a\0${sha256("22")}\nb\0${sha256("1")}\n`),
        },
    });
});
