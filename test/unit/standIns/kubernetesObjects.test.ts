import { decode, encode, unknown } from "../../../src/provider/values";
import { configMistakes, readConfig } from "../../support/standIns/kubernetes/config";
import {
    changesOf,
    driftedInputs,
    markSecrets,
    parseId,
    stateOf,
} from "../../support/standIns/kubernetes/objects";
import { replaces } from "../../support/standIns/kubernetes/replace";

describe("changes", () => {
    test("each path, and how", () => {
        const before = { a: 1, gone: true, list: [{ x: 1 }, { x: 2 }], short: [1], labels: { "a.b/c": "1" } };
        const after = {
            a: 1,
            made: true,
            list: [{ x: 1 }, { x: 3 }],
            short: [1, 2],
            labels: { "a.b/c": "2" },
        };

        expect(Object.fromEntries(changesOf(before, after))).toEqual({
            gone: "delete",
            made: "add",
            "list[1].x": "update",
            short: "update",
            'labels["a.b/c"]': "update",
        });
    });

    test("what a preview does not know yet has changed", () => {
        expect([...changesOf({ a: "1", b: "2" }, { a: unknown, b: "2" })]).toEqual([["a", "update"]]);
    });
});

test.each([
    ["Job", "spec.template.spec.containers[0].image", true],
    ["Job", "spec.templateX", false],
    ["Job", "spec.activeDeadlineSeconds", false],
    ["Job", "metadata.name", true],
    ["Job", "metadata.labels.a", false],
    ["ConfigMap", "data.a", true],
    ["Secret", "stringData", true],
    ["Role", "rules", false],
    ["RoleBinding", "roleRef.name", true],
])("a change of a %s at %s replaces it: %s", (kind, path, expected) => {
    expect(replaces({ kind }, path, readConfig({}))).toBe(expected);
});

test("the data of a ConfigMap can be changed in place where the provider says so, unless it is immutable", () => {
    const config = readConfig({ enableConfigMapMutable: "true" });

    expect(replaces({ kind: "ConfigMap" }, "data.a", config)).toBe(false);
    expect(replaces({ kind: "ConfigMap", immutable: true }, "data.a", config)).toBe(true);
    expect(replaces({ kind: "Secret" }, "data.a", config)).toBe(true);
});

test("after a refresh only what has changed in the cluster is not as the program wrote it", () => {
    const inputs = { memory: "1024Mi", cpu: "1", args: ["a", "b"], stringData: { only: "written" } };
    const before = { memory: "1Gi", cpu: "1", args: ["a", "b"], status: {} };
    const live = { memory: "1Gi", cpu: "2", args: ["a", "c"], status: { ready: true } };

    expect(driftedInputs(inputs, before, live)).toEqual({ ...inputs, cpu: "2", args: ["a", "c"] });
    expect(driftedInputs(inputs, live, live)).toEqual(inputs);
});

test("secrets stay where they were, and the data of a Secret is one as a whole", () => {
    const inputs = { kind: "Secret", apiVersion: "v1", stringData: { a: "x" } };
    const state = stateOf(inputs, { kind: "Secret", data: { a: "eA==" } }, new Set(["stringData.a"]), "me");

    const { value, secrets } = decode(encode(state));
    expect(value).toMatchObject({ data: { a: "eA==" }, __inputs: inputs, __fieldManager: "me" });
    expect([...secrets].sort()).toEqual(["__inputs.stringData.a", "data"]);
    expect(decode(encode(markSecrets({ a: [1, 2] }, new Set(["a[1]"])) as object)).secrets).toEqual(
        new Set(["a[1]"]),
    );
});

test("an id has a namespace or has none", () => {
    expect(parseId("jobs/train")).toEqual({ namespace: "jobs", name: "train" });
    expect(parseId("jobs")).toEqual({ name: "jobs" });
});

test("what a provider does not understand is refused, all at once", () => {
    const mistakes = configMistakes({
        kubeConfig: "x",
        deleteUnreachable: "yes",
        context: 7,
        namespace: "fine",
    });

    expect(mistakes.map(({ property }) => property)).toEqual(["kubeConfig", "deleteUnreachable", "context"]);
    expect(mistakes[0].reason).toContain("kubeconfig");
    expect(configMistakes({ renderYamlToDirectory: "out", kubeconfig: "x" })).toHaveLength(1);
    expect(() => readConfig({ renderYamlToDirectory: "out" })).toThrow("neither renders YAML");
});
