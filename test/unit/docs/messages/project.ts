import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ask } from "../../../../src/cli/doctor/check";
import { Recorder } from "../../../../src/testing";
import { readConfig } from "../../../../stacks/config";
import { command } from "./command";
import type { Producers } from "./said";

/** What `stackrun init` says in a folder with these files. */
const init =
    (files: Readonly<Record<string, string>>, ...options: string[]) =>
    (folder: string) => {
        Object.entries(files).forEach(([name, text]) => fs.writeFileSync(path.join(folder, name), text));
        return command(folder, "init", ...options);
    };

/** A new project, and what is asked of the machine. */
export const PROJECT: Producers = {
    "--typescript and --javascript: allowed is one of them": init({}, "--typescript", "--javascript"),
    "… are all there, and none of them is overwritten: use an empty folder": init(
        { "index.js": "", "stack.js": "", "infrastructure.js": "" },
        "--javascript",
    ),
    "package.json can't be read: …": init({ "package.json": "{" }),
    'package.json says "type": "module", with which Pulumi runs no TypeScript by itself': init(
        { "package.json": '{"type": "module"}' },
        "--typescript",
    ),
    "… names the program …, which is not there": init({
        "Pulumi.yaml": "name: x\nruntime: nodejs\nmain: bin\n",
    }),
    "…: the runtime of this project is …, and stackrun's components are for nodejs": init({
        "Pulumi.yaml": "name: x\nruntime: python\n",
    }),
    "… can't be extended: … Put this into it by hand: …": init({ "Pulumi.yaml": "- a\n" }),
    "Pulumi.json is not extended; put this into it: …": init({ "Pulumi.json": "{}" }),
    "no answer within … s": async (folder) => {
        fs.writeFileSync(path.join(folder, "docker"), "#!/bin/sh\nexec sleep 60\n", { mode: 0o755 });
        const env = { PATH: `${folder}:${process.env.PATH}` };
        const limits = { answerTimeoutMs: 200, startTimeoutMs: 200 };
        return (await ask("docker", [], { env, folder, stateDir: folder, ...limits }))?.fault;
    },
};

/** What is said of a stack's configuration. */
const config =
    (values: Readonly<Record<string, string>>, ...secret: string[]) =>
    async () => {
        await Recorder.install();
        const named = Object.entries(values).map(([key, value]) => [`project:${key}`, value]);
        pulumi.runtime.setAllConfig(
            Object.fromEntries(named) as Record<string, string>,
            secret.map((key) => `project:${key}`),
        );
        try {
            return readConfig();
        } finally {
            pulumi.runtime.setAllConfig({});
        }
    };

export const CONFIGURATION: Producers = {
    "…:pipeline is not set; try: …": config({}),
    "… is not a key of this program; allowed: …": config({ pipeline: "p.yaml", pipelin: "p.yaml" }),
    "… is …; allowed: … (…)": config({ pipeline: "p.yaml", wait: "maybe" }),
    "… is not what it should be; allowed: … (…)": config({ pipeline: "p.yaml", secrets: "hunter2" }),
    "… is a secret, and would be kept in the clear; allowed: secrets under …:secrets only": config(
        { pipeline: "p.yaml", env: '{"TOKEN":"hunter2"}' },
        "env",
    ),
};
