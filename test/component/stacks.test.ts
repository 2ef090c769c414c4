import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BadInputError } from "../../components/errors";
import { CONFIG_KEYS, readConfig } from "../../stacks/config";
import { makeOrchestrator } from "../../stacks/orchestrators";
import { Recorder } from "../support/mocks";

const REPO = path.resolve(__dirname, "../..");

describe("the stack's configuration", () => {
    beforeAll(() => new Recorder().install());
    afterAll(() => pulumi.runtime.setAllConfig({}));

    const configure = (values: Record<string, string>) => {
        pulumi.runtime.setAllConfig(
            Object.fromEntries(Object.entries(values).map(([key, value]) => [`project:${key}`, value])),
        );
    };
    const mistakesOf = (values: Record<string, string>): readonly string[] => {
        configure(values);
        try {
            readConfig();
        } catch (error) {
            expect(error).toBeInstanceOf(BadInputError);
            return (error as BadInputError).mistakes;
        }
        throw new Error("was not refused");
    };

    it("needs nothing but the pipeline; paths are relative to the project's folder", () => {
        configure({ pipeline: "examples/weather/pipeline.yaml" });
        const { orchestrator, args } = readConfig();
        expect(orchestrator).toBe("local");
        expect(args.pipeline).toBe(path.join(REPO, "examples/weather/pipeline.yaml"));
        expect(args.code).toBeUndefined();
    });

    it("reads every key that it documents, with its type", () => {
        configure({
            orchestrator: "local",
            pipeline: "p.yaml",
            code: "code",
            params: '{"horizon":3,"name":"x","deep":true}',
            env: '{"LEVEL":3,"QUIET":true,"A":"b"}',
            secrets: '{"TOKEN":12345}',
            image: "busybox",
            artifactStore: "gs://bucket/x",
            trigger: "2026-11-22",
            timeout: "2h",
            grace: "5s",
            parallelism: "4",
            wait: "false",
            onFailure: "record",
            whileRunning: "replace",
            stateDir: "elsewhere",
        });
        const { orchestrator, args } = readConfig();
        expect({ orchestrator, ...args }).toEqual({
            orchestrator: "local",
            pipeline: path.join(REPO, "p.yaml"),
            code: path.join(REPO, "code"),
            params: { horizon: 3, name: "x", deep: true },
            // `pulumi config set --path` stores what looks like a number as a number; an environment has texts only.
            env: { LEVEL: "3", QUIET: "true", A: "b" },
            secrets: { TOKEN: "12345" },
            image: "busybox",
            artifactStore: "gs://bucket/x",
            trigger: "2026-11-22",
            timeout: "2h",
            grace: "5s",
            parallelism: 4,
            wait: false,
            onFailure: "record",
            whileRunning: "replace",
            stateDir: "elsewhere",
        });
        // Those of one orchestrator only: below.
        const all = [...Object.keys({ orchestrator, ...args }), "docker", "kubernetes", "gcp"];
        expect(all.sort()).toEqual(Object.keys(CONFIG_KEYS).sort());
    });

    it.each([
        ['{"date":"2026-11-22"}', { date: "2026-11-22" }],
        ["3", 3],
        ["abc", "abc"],
    ])("takes the trigger %s", (text, value) => {
        configure({ pipeline: "p.yaml", trigger: text });
        expect(readConfig().args.trigger).toEqual(value);
    });

    it("refuses a configuration without a pipeline, and says how to set it", () => {
        expect(mistakesOf({})).toEqual([
            "project:pipeline is not set; try: pulumi config set project:pipeline examples/weather/pipeline.yaml",
        ]);
    });

    it.each([
        ["orchestrator", "locl", 'allowed: local, docker, kubernetes, gcp; did you mean "local"?'],
        ["pipeline", " ", "allowed: a text that is not empty"],
        ["params", "horizon=3", "allowed: a map of names to texts, numbers and booleans"],
        ["params", '["horizon"]', "allowed: a map of names"],
        ["params", '{"horizon":{"value":3}}', "allowed: a map of names"],
        ["env", "null", "allowed: a map of names"],
        ["timeout", "soon", "allowed: a duration such as 10s"],
        ["timeout", "0s", "allowed: a duration such as 10s"],
        ["grace", "-1", "allowed: a duration such as 10s"],
        ["parallelism", "two", "allowed: a whole number from 1"],
        ["parallelism", "0", "allowed: a whole number from 1"],
        ["parallelism", "1.5", "allowed: a whole number from 1"],
        ["parallelism", "", "allowed: a whole number from 1"],
        ["wait", "no", "allowed: true or false"],
        ["wait", "constructor", "allowed: true or false"],
        ["onFailure", "ignore", "allowed: fail or record"],
        ["whileRunning", "stop", "allowed: refuse or replace"],
    ])("refuses %s: %j", (key, value, allowed) => {
        const mistakes = mistakesOf({ pipeline: "p.yaml", [key]: value });
        expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^project:${key}\\b`))]);
        expect(mistakes[0]).toContain(allowed);
    });

    it("does not repeat what was given as secrets", () => {
        const mistakes = mistakesOf({ pipeline: "p.yaml", secrets: "hunter2" });
        expect(mistakes).toEqual([
            expect.stringMatching(/^project:secrets is not what it should be; allowed: a map/),
        ]);
        expect(mistakes[0]).not.toContain("hunter2");
    });

    it("refuses a secret where it would be kept in the clear, and does not repeat it", () => {
        pulumi.runtime.setAllConfig({ "project:pipeline": "p.yaml", "project:env": '{"TOKEN":"hunter2"}' }, [
            "project:env",
        ]);
        expect(() => readConfig()).toThrow(
            "project:env is a secret, and would be kept in the clear; allowed: secrets under project:secrets only",
        );
        pulumi.runtime.setAllConfig(
            { "project:pipeline": "p.yaml", "project:secrets": '{"TOKEN":"hunter2"}' },
            ["project:secrets"],
        );
        expect(readConfig().args.secrets).toEqual({ TOKEN: "hunter2" });
    });

    it("names all mistakes at once, unknown keys first, with what was probably meant", () => {
        const mistakes = mistakesOf({
            pipelin: "p.yaml",
            "config:parms": "{}",
            parallelism: "many",
            wait: "maybe",
        });
        expect(mistakes).toEqual([
            expect.stringMatching(/^project:pipelin is not a key .* did you mean "pipeline"\?$/),
            expect.stringMatching(/^project:parms is not a key .* did you mean "params"\?$/),
            expect.stringContaining('project:parallelism is "many"'),
            expect.stringContaining('project:wait is "maybe"'),
            expect.stringContaining("project:pipeline is not set"),
        ]);
    });

    it("leaves the configuration of other packages alone", () => {
        pulumi.runtime.setAllConfig({ "project:pipeline": "p.yaml", "aws:regoin": "eu-central-1" });
        expect(readConfig().args.pipeline).toBe(path.join(REPO, "p.yaml"));
    });

    it("reads what only one orchestrator takes, as data", () => {
        const kubernetes = '{"namespace":"jobs","workspace":{"size":"1Gi"},"maxRecoveries":3}';
        const own = { namespace: "jobs", workspace: { size: "1Gi" }, maxRecoveries: 3 };
        configure({ pipeline: "p.yaml", orchestrator: "kubernetes", kubernetes, docker: '{"memory":"1g"}' });
        expect(readConfig()).toMatchObject({ orchestrator: "kubernetes", own });
        configure({ pipeline: "p.yaml", kubernetes });
        expect(readConfig()).toMatchObject({ orchestrator: "local", own: {} });
        const mistakes = mistakesOf({ pipeline: "p.yaml", docker: "1g" });
        expect(mistakes).toEqual([expect.stringMatching(/^project:docker is "1g"; allowed: a map of /)]);
    });

    it("refuses an argument that this orchestrator does not take, with what was probably meant", () => {
        const make = (kind: string, own: object) => () =>
            makeOrchestrator(kind, "x", { pipeline: "p.yaml" }, { ...own });
        expect(make("docker", { memroy: "1g", namespace: "jobs" })).toThrow(
            /memroy is no argument of the orchestrator "docker"; allowed: dockerHost, .*; did you mean "memory"\?\n.*namespace is no argument of the orchestrator "docker"/,
        );
        expect(make("local", { memory: "1g" })).toThrow(
            'memory is no argument of the orchestrator "local"; allowed: none',
        );
    });

    it("refuses an orchestrator that there isn't", () => {
        expect(() => makeOrchestrator("kubernets", "x", { pipeline: "p.yaml" })).toThrow(
            'orchestrator "kubernets" is not known; allowed: local, docker, kubernetes, gcp; did you mean "kubernetes"?',
        );
    });
});
