import { remedyFor } from "../../../src/cli/engineErrors";
import { read, REPO } from "./pages";

interface Message {
    readonly text: string;
    readonly file: string;
    readonly line: number;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { errorMessages, matches } = require("../../../scripts/docs/errors.js") as {
    errorMessages(root: string): Message[];
    matches(phrase: string, message: string): boolean;
};

/** What is found in the sources, and is no message that somebody would look up. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
    "did you mean …?": "the end of other messages",
    '; did you mean "…"?': "the end of other messages",
    "another name": "what is allowed, beside its message",
    "official installer": "the name of a remedy",
    "Do one of these, then try again:": "within the message that there is no engine",
    "… has no JSON": "can't be reached: all values come from JSON or YAML",
    "a value of the type … has no JSON": "can't be reached: all values come from JSON or YAML",
    "unknown resource type …; this plugin has …":
        "an engine and a plugin that don't belong together: a defect",
};

const [own, engine] = read("docs/troubleshooting.md").split(/^## From the Pulumi engine$/m);
const messages = errorMessages(REPO).filter(({ text }) => !(text in EXCEPTIONS));

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
        const phrases = phrasesOf(own);
        const missing = messages.filter(({ text }) => !phrases.some((phrase) => matches(phrase, text)));
        expect(missing.map(({ text, file, line }) => `${file}:${line}: ${text}`)).toEqual([]);
    });

    it("has no message that the sources don't have", () => {
        const gone = phrasesOf(own).filter((phrase) => !messages.some(({ text }) => matches(phrase, text)));
        expect(gone).toEqual([]);
    });

    it("tells of the engine's messages for which the command has a remedy", () => {
        const phrases = phrasesOf(engine);
        expect(phrases.length).toBeGreaterThan(4);
        expect(phrases.filter((phrase) => remedyFor(phrase, "dev") === undefined)).toEqual([]);
    });

    it("has no exception that the sources don't have", () => {
        const texts = errorMessages(REPO).map(({ text }) => text);
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

/** The code in the first column of each table. */
function phrasesOf(text: string): string[] {
    const rows = text.split("\n").filter((line) => /^\| *`/.test(line));
    return rows.flatMap((row) =>
        [...row.split(" | ")[0].matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , phrase]) => phrase.trim()),
    );
}
