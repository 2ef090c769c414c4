import fc from "fast-check";
import {
    decode,
    deepEqual,
    encode,
    hasUnknown,
    unknown,
    type Properties,
} from "../../../src/provider/values";
import { secretOf } from "../../support/wire";

describe("property values", () => {
    it("come back as they were sent, whatever they are called", () => {
        const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: false });
        fc.assert(
            fc.property(json, (value) => {
                // The one key that google-protobuf's own Struct loses.
                fc.pre(!JSON.stringify(value).includes("__proto__"));
                const back = decode(encode(value)).value;
                expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(value)));
            }),
        );
    });

    it("have their secrets unwrapped, and their places told", () => {
        const { value, secrets } = decode(
            encode({ a: secretOf("x"), list: [{ b: secretOf({ c: 1 }) }], plain: "y" }),
        );
        expect(JSON.parse(JSON.stringify(value))).toEqual({ a: "x", list: [{ b: { c: 1 } }], plain: "y" });
        expect([...secrets]).toEqual(["a", "list[0].b"]);
    });

    it("leave out what is undefined", () => {
        expect(decode(encode({ a: undefined, b: 1 })).value).toEqual({ b: 1 });
    });

    it("know an unknown at any depth", () => {
        expect(hasUnknown({ a: [{ b: unknown }] })).toBe(true);
        expect(hasUnknown({ a: [{ b: "known" }] })).toBe(false);
    });
});

it.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [2, 1], false],
    [{ 0: 1 }, [1], false],
    [null, {}, false],
    [undefined, null, true],
    ["", null, false],
])("deepEqual(%j, %j) is %s", (left, right, equal) => {
    expect(deepEqual(left as Properties, right as Properties)).toBe(equal);
    expect(deepEqual(right as Properties, left as Properties)).toBe(equal);
});
