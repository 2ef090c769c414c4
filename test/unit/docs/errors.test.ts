import { remedyFor } from "../../../src/cli/engineErrors";
import { allMessages, EXCEPTIONS, matches, messages, sections } from "./troubleshooting";

const ENGINE_SECTION = "From the Pulumi engine";

const phrases = sections().flatMap((section) => (section.title === ENGINE_SECTION ? [] : section.phrases));

describe("docs/troubleshooting.md", () => {
    it("finds the messages in the sources", () => {
        const texts = messages.map(({ text }) => text);
        expect(texts.length).toBeGreaterThan(100);
        expect(texts).toEqual(
            expect.arrayContaining([
                "The code folder … is not a folder",
                "unknown key",
                "the runner did not start within … s",
                "…: secrets.… is missing: the pipeline names it as a secret",
            ]),
        );
    });

    it("has every message", () => {
        const missing = messages.filter(({ text }) => !phrases.some((phrase) => matches(phrase, text)));
        expect(missing.map(({ text, file, line }) => `${file}:${line}: ${text}`)).toEqual([]);
    });

    it("has no message that the sources don't have", () => {
        // One word: too little for a message, when the sources are searched for them.
        const told = phrases.filter((phrase) => phrase !== "found …");
        const gone = told.filter((phrase) => !messages.some(({ text }) => matches(phrase, text)));
        expect(gone).toEqual([]);
    });

    it("tells of the engine's messages for which the command has a remedy", () => {
        const engine = sections().find(({ title }) => title === ENGINE_SECTION)?.phrases ?? [];
        expect(engine.length).toBeGreaterThan(4);
        expect(engine.filter((phrase) => remedyFor(phrase, "dev") === undefined)).toEqual([]);
    });

    it("has no exception that the sources don't have", () => {
        const texts = allMessages.map(({ text }) => text);
        expect(Object.keys(EXCEPTIONS).filter((text) => !texts.includes(text))).toEqual([]);
    });
});

describe("a phrase of the documentation", () => {
    it.each([
        ["there is no run …", "there is no run …", true],
        ["the run … ended", "the run … has ended in …", true],
        ["ended the run", "the run … has ended", false],
        ["is empty", "the list is empty, although the parameter … is not", false],
    ])("%p and the message %p: %p", (phrase, message, expected) => {
        expect(matches(phrase, message)).toBe(expected);
    });
});
