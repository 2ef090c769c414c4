import { read, REPO } from "./pages";

/** A message in the sources; what is filled in stands as `…`. */
export interface Message {
    readonly text: string;
    readonly file: string;
    readonly line: number;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports
const errors = require("../../../scripts/docs/errors.js") as {
    errorMessages(root: string): Message[];
    matches(phrase: string, message: string): boolean;
};

/** Whether what the documentation quotes is this message. */
export const matches = errors.matches;

/** What is found in the sources, and is no message that somebody would look up. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
    "did you mean …?": "the end of other messages",
    '; did you mean "…"?': "the end of other messages",
    "another name": "what is allowed, beside its message",
    "pulumi … is on PATH (…)": "why an engine is taken",
    "official installer": "the name of a remedy",
    "Do one of these, then try again:": "within the message that there is no engine",
    "… has no JSON": "can't be reached: all values come from JSON or YAML",
    "a value of the type … has no JSON": "can't be reached: all values come from JSON or YAML",
    "the program failed in the container":
        "why lines of a log can't be had again: the log tells their number",
    "the connection was dropped": "likewise",
    "the log of step … has … bytes where … were asked for": "likewise",
    "… is no key of an artifact store": "can't be reached: keys are made of checked names",
    "… is no prefix of keys: it has to end with a slash": "can't be reached: keys are made of checked names",
    "what was written to … is not what it reads back. Look after its disk.": "needs a disk that is broken",
    "there is no access token": "within the message that Google does not know who asks",
    "unknown resource type …; this plugin has …":
        "an engine and a plugin that don't belong together: a defect",
};

/** All that the sources refuse something with. */
export const allMessages: readonly Message[] = errors.errorMessages(REPO);

/** The same without the exceptions: what has to be documented, and produced. */
export const messages = allMessages.filter(({ text }) => !(text in EXCEPTIONS));

/** A section of docs/troubleshooting.md: its title, and the messages in the first column of its table. */
export interface Section {
    readonly title: string;
    readonly phrases: readonly string[];
}

/** The sections that list messages. */
export function sections(): Section[] {
    return read("docs/troubleshooting.md")
        .split(/^## /m)
        .map((text) => ({ title: text.split("\n")[0], phrases: phrasesOf(text) }))
        .filter(({ phrases }) => phrases.length > 0);
}

/** The code in the first column of each table. */
function phrasesOf(text: string): string[] {
    const rows = text.split("\n").filter((line) => /^\| *`/.test(line));
    return rows.flatMap((row) =>
        [...row.split(" | ")[0].matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , phrase]) => phrase.trim()),
    );
}
