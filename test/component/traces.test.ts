import { withoutTraces } from "../../components/traces";

const VARIABLE = "PULUMI_DEBUG_PROMISE_LEAKS";
const frames = (error: Error): number => (error.stack ?? "").split("\n").length - 1;

describe("resources without stack traces", () => {
    const limit = Error.stackTraceLimit;
    const given = process.env[VARIABLE];
    beforeEach(() => delete process.env[VARIABLE]);
    afterEach(() => {
        if (given !== undefined) {
            process.env[VARIABLE] = given;
        }
    });

    it("notes none while one is declared, and all again afterwards", () => {
        expect(frames(withoutTraces(() => new Error("inside")))).toBe(0);
        expect(frames(new Error("outside"))).toBeGreaterThan(0);
        expect(Error.stackTraceLimit).toBe(limit);
    });

    it("does so when it can't be declared, too", () => {
        const fail = () => {
            throw new Error("refused");
        };
        expect(() => withoutTraces(fail)).toThrow("refused");
        expect(Error.stackTraceLimit).toBe(limit);
    });

    it("leaves them to the SDK's hunt for promises that never end", () => {
        process.env[VARIABLE] = "1";
        expect(frames(withoutTraces(() => new Error("inside")))).toBeGreaterThan(0);
        delete process.env[VARIABLE];
    });
});
