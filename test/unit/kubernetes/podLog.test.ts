import * as fc from "fast-check";
import { PodLogReader, sinceTime, type LogPosition } from "../../../src/run/kubernetes/podLog";

interface Line {
    readonly time: string;
    readonly text: string;
}

const stamp = (micros: number) => {
    const seconds = new Date(Date.UTC(2026, 10, 22) + Math.floor(micros / 1e6) * 1000)
        .toISOString()
        .slice(0, 19);
    return `${seconds}.${String(micros % 1e6).padStart(6, "0")}000Z`;
};

/** As the kubelet answers: whole lines from the second of the position on. */
function answer(lines: readonly Line[], from?: LogPosition): Buffer {
    const since = from ? sinceTime(from) : "";
    const asked = lines.filter(({ time }) => `${time.slice(0, 19)}Z` >= since);
    return Buffer.from(asked.map(({ time, text }) => `${time} ${text}\n`).join(""));
}

function readAll(
    reader: PodLogReader,
    bytes: Buffer,
    sizes: readonly number[],
): { text: string; gap: boolean } {
    let text = "";
    let gap = false;
    let at = 0;
    for (let turn = 0; at < bytes.length; turn++) {
        const size = sizes.length > 0 ? sizes[turn % sizes.length] : bytes.length;
        const part = reader.push(bytes.subarray(at, at + size));
        text += part.bytes.toString("utf8");
        gap ||= part.gap === true;
        at += size;
    }
    return { text, gap };
}

describe("the log of a pod", () => {
    const lines: Line[] = [
        { time: stamp(100), text: "one" },
        { time: stamp(200), text: "two" },
        { time: stamp(200), text: "two" },
        { time: stamp(150), text: "written beside them" },
        { time: stamp(1_500_000), text: "three" },
    ];

    it("loses its time stamps, in pieces of any size", () => {
        for (const size of [1, 2, 7, 1000]) {
            expect(readAll(new PodLogReader(), answer(lines), [size]).text).toBe(
                "one\ntwo\ntwo\nwritten beside them\nthree\n",
            );
        }
    });

    it.each(lines.map((_, index) => index))("goes on behind its line %i, whatever the times", (index) => {
        const first = new PodLogReader();
        first.push(answer(lines.slice(0, index + 1)));
        const position = first.at;
        const { text, gap } = readAll(new PodLogReader(position), answer(lines, position), [5]);
        expect(text).toBe(
            lines
                .slice(index + 1)
                .map((line) => `${line.text}\n`)
                .join(""),
        );
        expect(gap).toBe(false);
    });

    it("says that lines are missing when the one behind which it goes on is gone", () => {
        const reader = new PodLogReader({ time: stamp(100), count: 1 });
        const { text, gap } = readAll(reader, answer(lines.slice(4)), []);
        expect([text, gap]).toEqual(["three\n", true]);
    });

    it("holds what may have been read before until the log is at its end", () => {
        const reader = new PodLogReader({ time: stamp(100), count: 1 });
        expect(readAll(reader, answer(lines.slice(1, 4)), []).text).toBe("");
        const rest = reader.flush();
        expect(rest.gap).toBe(true);
        expect(rest.bytes.toString()).toBe("two\ntwo\nwritten beside them\n");
    });

    it("loses and doubles nothing, wherever and however often the connection is dropped", () => {
        const many = fc.array(
            fc.record({
                step: fc.integer({ min: 0, max: 900_000 }),
                back: fc.boolean(),
                text: fc.string({ maxLength: 30 }),
            }),
            { minLength: 1, maxLength: 40 },
        );
        fc.assert(
            fc.property(
                many,
                fc.array(fc.nat(2000), { maxLength: 6 }),
                fc.integer({ min: 1, max: 50 }),
                (made, drops, size) => {
                    let now = 0;
                    const log = made.map(({ step, back, text }, index) => {
                        now += step;
                        // A line of the other stream, written a moment too late.
                        return {
                            time: stamp(Math.max(0, back ? now - 20 : now)),
                            text: `${index} ${text.replaceAll("\n", "")}`,
                        };
                    });
                    const reader = new PodLogReader();
                    let text = "";
                    for (const drop of drops) {
                        reader.restart();
                        text += readAll(reader, answer(log, reader.at).subarray(0, drop), [size]).text;
                    }
                    reader.restart();
                    text +=
                        readAll(reader, answer(log, reader.at), [size]).text +
                        reader.flush().bytes.toString();
                    expect(text).toBe(log.map((line) => `${line.text}\n`).join(""));
                },
            ),
            { numRuns: 300 },
        );
    });
});
