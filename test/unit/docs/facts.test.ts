import * as fs from "node:fs";
import * as path from "node:path";
import { CONFIG_KEYS } from "../../../stacks/config";
import { ORCHESTRATOR_KINDS } from "../../../stacks/kinds";
import { EXIT } from "../../../src/cli/exit";
import { RUNNER_EXIT } from "../../../src/run/events";
import { read, REPO } from "./pages";

it("docs/configuration.md has the keys of stack configuration, and no others", () => {
    const documented = [...read("docs/configuration.md").matchAll(/^\| (.*?) \|/gm)]
        .flatMap(([, cell]) => [...cell.matchAll(/`stackrun:(\w+)`/g)])
        .map(([, key]) => key);
    expect(documented.sort()).toEqual(Object.keys(CONFIG_KEYS).sort());
});

it("the README says of those orchestrators that they are there which are, and of no others", () => {
    const there = [...read("README.md").matchAll(/^\| ([\w ,()]+) \| \*\*there\*\*/gm)].map(
        ([, name]) => name,
    );
    expect(there).toEqual([...ORCHESTRATOR_KINDS, "your own"]);
});

it("docs/steps.md has the runner's exit codes", () => {
    const codes = [...read("docs/steps.md").matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(RUNNER_EXIT));
});

it("the README tells the command's exit codes", () => {
    const [line] = /^Exit codes of `stackrun`: .*/m.exec(read("README.md")) ?? [""];
    expect([...line.matchAll(/(\d+) /g)].map(([, code]) => Number(code))).toEqual(Object.values(EXIT));
});

it.each(["CONTRIBUTING.md", "docs/architecture.md"])("the files that %s speaks of are there", (page) => {
    const named = [
        ...read(page).matchAll(/(?<![\w/])(?:src|components|stacks|scripts|schema|test)\/[\w./-]*\w/g),
    ].map(([file]) => file);
    expect(named.length).toBeGreaterThan(10);
    // To be made by whoever makes the first store.
    const gone = named.filter((file) => file !== "src/stores" && !fs.existsSync(path.join(REPO, file)));
    expect(gone).toEqual([]);
});
