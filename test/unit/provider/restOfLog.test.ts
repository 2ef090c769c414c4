import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "../../../src/provider/engineLog";
import { readRest } from "../../../src/provider/resources/restOfLog";

describe("the rest of a run's log", () => {
    const info = jest.fn();
    const how = (signal = new AbortController().signal) => ({ log: { ...silentLog, info }, signal });
    const silent = (stop: AbortSignal) =>
        new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
    beforeEach(() => {
        info.mockReset();
        jest.useFakeTimers();
    });
    afterEach(() => jest.useRealTimers());

    it("is waited for as long as it may take, and that is said", async () => {
        const reading = readRest("r1", how(), silent);
        await jest.advanceTimersByTimeAsync(3_000);
        expect(info.mock.calls).toEqual([["reading the rest of the log of run r1 …"]]);
        await jest.advanceTimersByTimeAsync(57_000);
        await reading;
        expect(info).toHaveBeenLastCalledWith(
            "the rest of the log of run r1 can't be had: its target has not answered within 60 s",
        );
    });

    it("is given up by who cancels the update", async () => {
        const stop = new AbortController();
        const reading = readRest("r1", how(stop.signal), silent);
        stop.abort();
        await reading;
        expect(info).not.toHaveBeenCalled();
    });

    it("is read without a word where that is quick", async () => {
        jest.useRealTimers();
        await readRest("r1", how(), () => delay(1));
        expect(info).not.toHaveBeenCalled();
    });
});
