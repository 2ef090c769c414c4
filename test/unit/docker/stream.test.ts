import * as fc from "fast-check";
import { Demux, type Piece } from "../../../src/run/docker/demux";
import { Position } from "../../../src/run/docker/position";
import { LogReader } from "../../../src/run/docker/reader";
import type { FollowItem } from "../../../src/run/follower";

const frame = (stream: 1 | 2, text: string): Buffer => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(bytes.length, 4);
    return Buffer.concat([head, bytes]);
};
const texts = (pieces: readonly Piece[], stream: Piece["stream"]) =>
    pieces
        .filter((piece) => piece.stream === stream)
        .map(({ bytes }) => bytes.toString("utf8"))
        .join("");
const cutUp = (bytes: Buffer, places: readonly number[]): Buffer[] => {
    const cuts = [
        0,
        ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
        bytes.length,
    ];
    return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
};
const frames = fc.array(fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.string({ unit: "grapheme" })));

test("frames are told apart, wherever the stream is cut", () => {
    fc.assert(
        fc.property(frames, fc.array(fc.nat(10_000)), (all, cuts) => {
            const bytes = Buffer.concat(all.map(([stream, text]) => frame(stream, text)));
            const demux = new Demux();
            const pieces = cutUp(bytes, cuts).flatMap((chunk) => demux.push(chunk));
            for (const [name, number] of [
                ["stdout", 1],
                ["stderr", 2],
            ] as const) {
                const wanted = all
                    .filter(([stream]) => stream === number)
                    .map(([, text]) => text)
                    .join("");
                expect(
                    Buffer.concat(
                        pieces.filter(({ stream }) => stream === name).map(({ bytes }) => bytes),
                    ).toString(),
                ).toBe(wanted);
            }
        }),
    );
});

test("frames of one stream become one piece", () => {
    const pieces = new Demux().push(Buffer.concat([frame(1, "a\n"), frame(1, "b\n"), frame(2, "c\n")]));
    expect(pieces).toHaveLength(2);
    expect([texts(pieces, "stdout"), texts(pieces, "stderr")]).toEqual(["a\nb\n", "c\n"]);
});

describe("a log that is read again and again from its beginning", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `step\t${index}\n`).join("");
    const said = "stackrun: one\nstackrun: two\n";
    const read = (reader: LogReader): FollowItem[] => {
        const items: FollowItem[] = [];
        for (let item = reader.next; item; item = reader.next) {
            items.push(item);
            reader.passed();
        }
        return items;
    };
    const linesOf = (items: readonly FollowItem[], step: string) =>
        items
            .flatMap((item) => (item.type === "log" ? item.lines : []))
            .filter((line) => line.step === step)
            .map(({ text }) => text);
    const options = { nonce: "n", attempt: 1 };

    test("gives every line once, wherever the connection breaks, and wherever a killed reader goes on", () => {
        fc.assert(
            fc.property(
                fc.array(fc.nat(lines.length + said.length), { maxLength: 6 }),
                fc.nat(5),
                (breaks, killAt) => {
                    let bookmark: string | undefined;
                    let reader = new LogReader(options, Position.parse(undefined));
                    let kept: FollowItem[] = [];
                    for (const [index, end] of [...breaks, Infinity].entries()) {
                        if (index === killAt) {
                            // What stands behind the last bookmark is forgotten, and asked for again.
                            kept = kept.slice(
                                0,
                                kept.findLastIndex((item) => item.bookmark !== undefined) + 1,
                            );
                            bookmark = kept.at(-1)?.bookmark;
                            reader = new LogReader(options, Position.parse(bookmark));
                        }
                        reader.rewind();
                        reader.take({ stream: "stderr", bytes: Buffer.from(said).subarray(0, end) });
                        reader.take({ stream: "stdout", bytes: Buffer.from(lines).subarray(0, end) });
                        kept.push(...read(reader));
                    }
                    reader.end();
                    kept.push(...read(reader));
                    expect(linesOf(kept, "step")).toEqual(
                        Array.from({ length: 50 }, (_, index) => String(index)),
                    );
                    expect(linesOf(kept, "")).toEqual(["stackrun: one", "stackrun: two"]);
                },
            ),
        );
    });

    test("an item that was not passed on stays the first one", () => {
        const reader = new LogReader(options, Position.parse(undefined));
        reader.take({ stream: "stdout", bytes: Buffer.from("a\tb\n") });
        expect(reader.next).toMatchObject({ type: "log", bookmark: "4+0" });
        expect(reader.next).toBe(reader.next);
        reader.passed();
        expect(reader.next).toBeUndefined();
    });

    test("a forged event is a line", () => {
        const reader = new LogReader(options, Position.parse(undefined));
        reader.take({
            stream: "stdout",
            bytes: Buffer.from('\u001e{"nonce":"x","attempt":1,"type":"run.finished"}\n'),
        });
        expect(read(reader)).toEqual([expect.objectContaining({ type: "log" })]);
    });
});
