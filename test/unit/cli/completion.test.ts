import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stackrun } from "../../support/cli";
import { useFolder } from "../../support/folder";

describe("completion", () => {
    const folder = useFolder();
    beforeEach(() => {
        for (const name of [".stackrun/runs/a-1", ".stackrun/runs/b-2", "sub dir"]) {
            fs.mkdirSync(path.join(folder(), name), { recursive: true });
        }
        for (const name of ["pipeline.yaml", "other.yml", "Pulumi.yaml", "notes.txt"]) {
            fs.writeFileSync(path.join(folder(), name), "");
        }
    });

    // As bash itself does it, for the words of a command line of which the last one is to be completed.
    const complete = (...words: string[]): string[] => {
        fs.writeFileSync(
            path.join(folder(), "completion"),
            stackrun(folder(), ["completion", "bash"]).stdout,
        );
        const test = `
set -u
source ./completion
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
eval "$(complete -p stackrun | sed 's/.* -F \\([^ ]*\\) .*/\\1/')"
for reply in \${COMPREPLY[@]+"\${COMPREPLY[@]}"}; do printf '%s\\n' "$reply"; done`;
        const all = ["--norc", "-c", test, "bash", "stackrun", ...words];
        const output = execFileSync("bash", all, { cwd: folder(), encoding: "utf8" });
        return output.split("\n").filter((line) => line !== "");
    };

    it.each([
        ["the commands", ["ru"], ["run", "runs"]],
        ["options", ["logs", "--f"], ["--follow"]],
        ["options after other words", ["run", "pipeline.yaml", "--no"], ["--no-wait"]],
        ["the runs", ["status", ""], ["a-1", "b-2"]],
        ["a run", ["logs", "--follow", "b"], ["b-2"]],
        ["a run to cancel", ["cancel", "a"], ["a-1"]],
        ["files of pipelines, and folders", ["run", ""], ["other.yml", "pipeline.yaml", "sub dir"]],
        ["folders", ["init", "s"], ["sub dir"]],
        ["the values of an option", ["runs", "--status", "L"], ["Lost"]],
        [
            "orchestrators, after the short option too",
            ["run", "-o", ""],
            ["local", "docker", "kubernetes", "gcp"],
        ],
        ["nothing where anything may stand", ["run", "--timeout", ""], []],
        ["shells", ["completion", "z"], ["zsh"]],
    ])("completes %s in bash", (_, words, expected) => {
        expect(complete(...words)).toEqual(expected);
    });

    it("completes every command and every option that the help names", () => {
        const help = stackrun(folder(), ["--help"]).stdout;
        const commands = [...help.matchAll(/^ {2}([a-z]+) (?:\[|<| {2})/gm)].map(([, name]) => name ?? "");
        expect(commands.length).toBeGreaterThan(10);
        expect(complete("")).toEqual(
            expect.arrayContaining(commands.filter((name) => name !== "stackrun" && name !== "help")),
        );
        for (const command of ["run", "destroy", "doctor"]) {
            const options = stackrun(folder(), [command, "--help"]).stdout.matchAll(
                /^ {2}(?:-\w, )?(--[a-z-]+)/gm,
            );
            expect(complete(command, "--").sort()).toEqual([...options].map(([, name]) => name).sort());
        }
    });

    it.each(["bash", "zsh", "fish"])("makes a script of its own for %s, with all commands", (shell) => {
        const { code, stdout } = stackrun(folder(), ["completion", shell]);
        expect(code).toBe(0);
        for (const word of ["destroy", "records", "runs", "Cancelled"]) {
            expect(stdout).toContain(word);
        }
    });

    it("refuses another shell", () => {
        expect(stackrun(folder(), ["completion", "fissh"])).toMatchObject({
            code: 2,
            stderr: expect.stringContaining("did you mean fish?"),
        });
    });
});
