import { PATIENCE, retrying, type Hope, type Retrying } from "../../../src/stores/artifacts/retry";

const quick = { ...PATIENCE, busyMs: 300, unreachedMs: 50, firstPauseMs: 5, longestPauseMs: 20 };

describe("trying again", () => {
    const how = (hope: Hope, more: Partial<Retrying> = {}): Retrying => ({
        patience: quick,
        hopeOf: () => hope,
        ...more,
    });
    const failing = (times: number, then = "done") => {
        let tries = 0;
        const work = () => {
            tries += 1;
            return tries > times ? Promise.resolve(then) : Promise.reject(new Error(`try ${tries}`));
        };
        return { work, tries: () => tries };
    };

    it("goes on until it succeeds", async () => {
        const { work, tries } = failing(5);
        expect(await retrying(how("busy"), work)).toBe("done");
        expect(tries()).toBe(6);
    });

    it("does not without hope", async () => {
        const { work, tries } = failing(1);
        await expect(retrying(how(undefined), work)).rejects.toThrow("try 1");
        expect(tries()).toBe(1);
    });

    it("ends with the last error when patience is over: earlier where nothing answers", async () => {
        const busy = failing(Infinity);
        await expect(retrying(how("busy"), busy.work)).rejects.toThrow(/try \d+/);
        const unreached = failing(Infinity);
        await expect(retrying(how("unreached"), unreached.work)).rejects.toThrow(/try \d+/);
        expect(busy.tries()).toBeGreaterThan(2 * unreached.tries());
        expect(unreached.tries()).toBeGreaterThan(1);
    });

    it("has new patience whenever something has gone over", async () => {
        const start = Date.now();
        let tries = 0;
        const result = await retrying(how("unreached"), (progressed) => {
            tries += 1;
            progressed();
            return tries === 30 ? Promise.resolve("done") : Promise.reject(new Error("broken"));
        });
        expect(result).toBe("done");
        expect(Date.now() - start).toBeGreaterThan(quick.unreachedMs);
    });

    it("ends at once when it is stopped: between tries, and within one", async () => {
        const patient = { ...quick, firstPauseMs: 60_000, busyMs: 600_000, longestPauseMs: 60_000 };
        const stop = new AbortController();
        const waiting = retrying(how("busy", { patience: patient, signal: stop.signal }), failing(1).work);
        stop.abort(new Error("stopped"));
        await expect(waiting).rejects.toThrow(/stopped|aborted/);

        const other = new AbortController();
        const working = retrying(how("busy", { signal: other.signal }), () => new Promise(() => undefined));
        other.abort(new Error("stopped"));
        await expect(working).rejects.toThrow("stopped");
    });
});
