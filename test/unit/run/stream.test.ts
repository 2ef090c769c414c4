import * as fc from "fast-check";
import type { RunnerEvent } from "../../../src/run/events";
import type { FollowItem } from "../../../src/run/follower";
import { RunnerStream } from "../../../src/run/stream";

const options = { nonce: "secret", attempt: 2 };
const event = (n: number, more: object = {}) =>
    ({ n, nonce: "secret", time: "t", attempt: 2, type: "step.reused", step: "a", ...more }) as RunnerEvent;
const record = (value: unknown) => `\u001e${JSON.stringify(value)}\n`;
const read = (text: string): FollowItem[] => {
    const stream = new RunnerStream(options);
    return [...stream.push(Buffer.from(text)), ...stream.end()];
};
const log = (...lines: [string, string][]) => ({
    type: "log",
    lines: lines.map(([step, text]) => ({ step, text })),
});

describe("RunnerStream", () => {
    it("tells events from lines, in their order", () => {
        const text = `a\tone\na\ttwo\n${record(event(1))}the runner's own\n${record(event(2))}`;
        expect(read(text)).toEqual([
            log(["a", "one"], ["a", "two"]),
            { type: "event", event: event(1) },
            log(["", "the runner's own"]),
            { type: "event", event: event(2) },
        ]);
    });

    it.each([
        ["another nonce", event(1, { nonce: "guessed" })],
        ["no nonce", { ...event(1), nonce: undefined }],
        ["another attempt", event(1, { attempt: 1 })],
        ["no event at all", 17],
        ["null", null],
    ])("takes what only looks like an event for a line: %s", (_, forged) => {
        expect(read(record(forged))).toEqual([log(["", record(forged).trimEnd()])]);
    });

    it("takes a torn event for a line", () => {
        expect(read('\u001e{"n":1,"nonce":"secret"\n')).toEqual([log(["", '\u001e{"n":1,"nonce":"secret"'])]);
    });

    it("keeps a last line without an end", () => {
        expect(read("a\thalf")).toEqual([log(["a", "half"])]);
    });

    it("reads the same however the bytes are cut into pieces", () => {
        const whole = Buffer.from(`a\tgrün\n${record(event(1))}b\t\n\n${record(event(2))}b\t€uro\ttab\n`);
        const flat = (items: FollowItem[]): unknown[] =>
            items.flatMap<unknown>((item) => (item.type === "log" ? item.lines : [item]));
        fc.assert(
            fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
                const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
                const stream = new RunnerStream(options);
                const items = at
                    .slice(1)
                    .flatMap((end, index) => stream.push(whole.subarray(at[index], end)));
                expect(flat([...items, ...stream.end()])).toEqual(flat(read(whole.toString())));
            }),
        );
    });
});
