import { BadInputError, LocalOrchestrator } from "../../src";
import { ensureEngine } from "../../src/engine";
import { unsupportedPlatform } from "../../src/platform";

describe("on Windows", () => {
    const real = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
    beforeEach(() => Object.defineProperty(process, "platform", { ...real, value: "win32" }));
    afterEach(() => Object.defineProperty(process, "platform", real));

    const word = /^stackrun needs Linux or macOS: on Windows, use it inside WSL/;

    it("a program and the command say that WSL is needed, before anything else", async () => {
        const declare = () => new LocalOrchestrator("job", { pipeline: "nowhere.yaml" });
        expect(declare).toThrow(BadInputError);
        expect(declare).toThrow(word);
        await expect(ensureEngine()).rejects.toThrow(word);
    });

    it("and nowhere else", () => {
        expect(unsupportedPlatform()).toMatch(word);
        expect([unsupportedPlatform("linux"), unsupportedPlatform("darwin")]).toEqual([undefined, undefined]);
    });
});
