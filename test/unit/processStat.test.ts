import { readFileSync } from "node:fs";
import { parseProcessStat } from "../../src/processStat";

const REST = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";

describe("/proc/PID/stat", () => {
    it.each([
        [`42 (sh) S ${REST}`, { state: "S", startTime: "4711" }],
        [`42 (a) Z (b) c) R ${REST}`, { state: "R", startTime: "4711" }],
        [`42 (sh) Z`, { state: "Z", startTime: "" }],
    ])("%s", (text, stat) => {
        expect(parseProcessStat(text)).toEqual(stat);
    });

    it("of this process has its start", () => {
        const { state, startTime } = parseProcessStat(readFileSync("/proc/self/stat", "utf8"));
        expect([state, Number(startTime) > 0]).toEqual(["R", true]);
    });
});
