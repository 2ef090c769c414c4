"use strict";
// Makes docs/pipeline.md of the schema of a pipeline.
const { cell } = require("./markdown.js");

const HEAD = `<!-- Made by \`node scripts/docs/generate.js\` of src/pipeline/schema.ts: don't edit it here. -->

# Pipeline reference

All keys of a \`pipeline.yaml\`, and of what \`definePipeline\` takes. \`stackrun validate\` checks a file and names every
mistake by its line; editors check it while you type with [the JSON Schema](../schema/pipeline.schema.json), from which this
page is made. What a step finds when it runs is told in [Steps](steps.md).

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/stackrun/schema/pipeline.schema.json
name: weather
params:
  horizon: 7
steps:
  - name: load
    run: python load.py "$STACKRUN_OUTPUTS/raw.csv"
    outputs: [raw.csv]
  - name: train
    run: [python, train.py]
    inputs: {raw: load/raw.csv}
\`\`\`

The local orchestrator runs the steps as processes of this machine: \`image\`, \`cache\`, \`resources\` and \`processing\` are
checked, and are for orchestrators that know them; a local run passes over them.
`;

/** The page, as it has to stand in docs/pipeline.md. */
function pipelineReference(schema) {
    const sections = [];
    describe("", schema, sections);
    return `${[HEAD, ...sections].join("\n")}`;
}

/** A table of an object's keys; then one for each key that is an object, or a list of objects, itself. */
function describe(place, schema, sections) {
    const own = keysOf(schema);
    const required = schema.required ?? [];
    const rows = own.map(([key, value]) => row(key, value, required.includes(key)));
    const title = place === "" ? "Pipeline" : `\`${place}\``;
    sections.push(
        [
            `## ${title}`,
            "",
            ...(place === "" ? [] : [sentence(schema.description), ""]),
            "| key | allowed | default | meaning |",
            "| --- | --- | --- | --- |",
            ...rows,
            "",
        ].join("\n"),
    );
    for (const [key, value] of own) {
        const inner = innerOf(value);
        if (inner) {
            describe([place, key + inner.suffix].filter(Boolean).join("."), inner.schema, sections);
        }
    }
}

function keysOf(schema) {
    return Object.entries(schema.properties ?? {});
}

/** What a key's value is made of, if that has keys of its own. */
function innerOf(value) {
    const one = value.additionalProperties;
    if (value.type === "array" && value.items && value.items.properties) {
        return { suffix: "[]", schema: value.items };
    }
    if (typeof one === "object" && one.properties) {
        return { suffix: ".<name>", schema: { description: one.errorMessage, ...one } };
    }
    return value.properties ? { suffix: "", schema: value } : undefined;
}

function row(key, schema, required) {
    const value = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
    const allowed = (schema.errorMessage ?? "").replace(/^Allowed: /, "");
    const columns = [
        `\`${key}\`${required ? " (required)" : ""}`,
        code(cell(allowed)),
        value,
        cell(code(sentence(schema.description))),
    ];
    return `| ${columns.join(" | ")} |`;
}

/** What GitHub would take for HTML or for a reference. */
function code(text) {
    return text.replaceAll("<", "&lt;");
}

// The column beside it says what a duration looks like.
function sentence(text = "") {
    return text.replace(/ For example 10s, 30m, .*$/, "");
}

module.exports = { pipelineReference };
