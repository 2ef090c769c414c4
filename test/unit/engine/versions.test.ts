import { elapsed } from "../../../src/engine/progress";
import { findVersion, isNewEnough } from "../../../src/engine/versions";

describe("versions", () => {
    it.each([
        ["v3.213.0\n", "3.213.0"],
        ["3.214.0-alpha.x+1\n", "3.214.0"],
        ["warning: old\nv3.1.22", "3.1.22"],
        ["3.2", undefined],
        ["", undefined],
    ])("finds in %j: %s", (text, version) => {
        expect(findVersion(text)).toBe(version);
    });

    it.each([
        ["3.206.0", true],
        ["3.206.1", true],
        ["3.1000.0", true],
        ["3.205.99", false],
        ["2.999.0", false],
        ["4.0.0", false],
    ])("%s is new enough for 3.206.0: %s", (version, answer) => {
        expect(isNewEnough(version, "3.206.0")).toBe(answer);
    });

    it.each([
        [0, "0 s"],
        [35_400, "35 s"],
        [125_000, "2 min 5 s"],
    ])("%d ms are %s", (ms, text) => {
        expect(elapsed(0, ms)).toBe(text);
    });
});
