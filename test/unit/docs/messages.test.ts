import { useFolder } from "../../support/folder";
import { ARGUMENTS } from "./messages/arguments";
import { CODE } from "./messages/code";
import { DOCKER } from "./messages/docker";
import { ENGINE } from "./messages/engine";
import { FOLLOWERS, TESTS } from "./messages/followers";
import { GCP } from "./messages/gcp";
import { KUBERNETES } from "./messages/kubernetes";
import { OUTCOMES } from "./messages/outcomes";
import { PIPELINE } from "./messages/pipeline";
import { CONFIGURATION, PROJECT } from "./messages/project";
import { PULUMI } from "./messages/pulumi";
import { RUN } from "./messages/run";
import { RUNNER, STEP_LOG } from "./messages/runner";
import { SHIP } from "./messages/ship";
import { STORES } from "./messages/stores";
import { said, says, unsaid, type Producers } from "./messages/said";
import { messages, sections } from "./troubleshooting";

/** Who produces the messages of each section of docs/troubleshooting.md. */
const PRODUCERS: Readonly<Record<string, Producers>> = {
    "A run that has not succeeded": RUN,
    "The end of a run": OUTCOMES,
    "Arguments of an orchestrator, and of the command": ARGUMENTS,
    "A new project": PROJECT,
    "Stack configuration": CONFIGURATION,
    "The code": CODE,
    "A pipeline": PIPELINE,
    "The engine, and this package": ENGINE,
    Docker: DOCKER,
    "Followers of your own": FOLLOWERS,
    "Tests of your own": TESTS,
    "In Kubernetes": KUBERNETES,
    "On Google Compute Engine": GCP,
    "The artifact store": STORES,
    "From the runner": RUNNER,
    "Between a machine and the artifact store": SHIP,
    "In the log of a step": STEP_LOG,
    "From the Pulumi engine": PULUMI,
};

/** What the code has said in these tests. */
const heard: string[] = [];

describe.each(sections())("docs/troubleshooting.md: $title", ({ title, phrases }) => {
    const folder = useFolder();
    const producers: Producers = PRODUCERS[title] ?? {};

    it.each(phrases)("%s", async (phrase) => {
        const produce = producers[phrase];
        const text = produce ? await said(produce, folder()) : "nobody produces this message";
        heard.push(text);
        expect(says(text, phrase) ? phrase : text).toBe(phrase);
    });

    it("has every message that is produced", () => {
        expect(Object.keys(producers).filter((phrase) => !phrases.includes(phrase))).toEqual([]);
    });
});

describe("the documented messages", () => {
    it("are in the sections that are tested", () => {
        expect(
            sections()
                .map(({ title }) => title)
                .sort(),
        ).toEqual(Object.keys(PRODUCERS).sort());
    });

    it("are, when they are produced, all that the sources can say", () => {
        const silent = unsaid(messages, heard);
        expect(silent.map(({ text, file, line }) => `${file}:${line}: ${text}`)).toEqual([]);
    });
});

describe("what was said", () => {
    it.each([
        ["p.yaml: unknown key; allowed: x", "unknown key", false],
        ["unknown key; allowed: x", "unknown key", true],
        ["unknown keys", "unknown key", false],
        ["one\n  two", "two", true],
        ["there is no run r-1", "there is no run …", true],
        ["there is no run", "there is no run …", false],
        ["a (b)\nc", "a (…) c", true],
    ])("%j is %j: %p", (text, phrase, expected) => {
        expect(says(text, phrase)).toBe(expected);
    });
});
