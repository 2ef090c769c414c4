import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stackrun } from "../../support/cli";
import { describeWithTool } from "../../support/shells";
import { useFolder } from "../../support/folder";

const RUN_STATES = [
    "Cancelled",
    "Failed",
    "Lost",
    "Pending",
    "Recovering",
    "Running",
    "Succeeded",
    "TimedOut",
];
const COMMANDS = "cancel completion destroy doctor env init logs run runs status validate".split(" ");

// A command line that ends where the Tab key is pressed, and what has to be offered then.
const CASES: Readonly<Record<string, readonly string[]>> = {
    "stackrun ru": ["run", "runs"],
    "stackrun ": COMMANDS,
    "stackrun --": ["--help", "--version"],
    "stackrun logs --f": ["--follow"],
    "stackrun run pipeline.yaml --no": ["--no-wait"],
    "stackrun status ": ["a-1", "b-2"],
    "stackrun logs --follow b": ["b-2"],
    "stackrun cancel a": ["a-1"],
    "stackrun logs --step ": ["load", "train"],
    "stackrun logs --step t": ["train"],
    "stackrun run ": ["other.yml", "pipeline.yaml", "sub dir"],
    "stackrun run sub\\ dir/": ["inner.yaml"],
    "stackrun init ": ["sub dir"],
    "stackrun run --code s": ["sub dir"],
    "stackrun runs --status ": RUN_STATES,
    "stackrun runs --status=L": ["Lost"],
    "stackrun run -o ": ["docker", "gcp", "kubernetes", "local"],
    "stackrun run --timeout ": [],
    "stackrun completion z": ["zsh"],
};
const LINES = Object.keys(CASES);

// The shells themselves complete, with the script that the command prints, set up as its documentation says.
describe("completion by the shell itself", () => {
    const folder = useFolder();
    beforeEach(() => {
        for (const name of [".stackrun/runs/a-1/steps/load", ".stackrun/runs/b-2/steps/load", "sub dir"]) {
            fs.mkdirSync(path.join(folder(), name), { recursive: true });
        }
        fs.mkdirSync(path.join(folder(), ".stackrun/runs/b-2/steps/train"));
        const files = ["pipeline.yaml", "other.yml", "Pulumi.yaml", "notes.txt"];
        for (const name of [...files, "sub dir/inner.yaml", "sub dir/Pulumi.dev.yaml"]) {
            fs.writeFileSync(path.join(folder(), name), "");
        }
    });

    const script = (shell: string): string => stackrun(folder(), ["completion", shell]).stdout;
    const inShell = (command: string, args: readonly string[]): string =>
        execFileSync(command, args, {
            cwd: folder(),
            encoding: "utf8",
            timeout: 60_000,
            env: {
                PATH: process.env.PATH,
                HOME: path.join(folder(), ".home"),
                TERM: "xterm",
                LANG: "C.UTF-8",
            },
        });
    const offered = (output: string): Record<string, string[]> => {
        const blocks = output.split(/^== /m).slice(1);
        return Object.fromEntries(
            blocks.map((block) => {
                const [line = "", ...matches] = block.split("\n");
                return [line, tidy(matches)];
            }),
        );
    };

    describeWithTool("zsh", "zsh and bash", () => {
        const tab = path.resolve(__dirname, "../../support/completion/tab.zsh");
        const complete = (shell: string, setup: string) =>
            offered(inShell("zsh", ["-f", tab, shell, setup, ...LINES]));
        const init = "autoload -Uz compinit; compinit -D -u";

        it("zsh offers what belongs there, the script evaluated after compinit", () => {
            fs.writeFileSync(path.join(folder(), ".script"), script("zsh"));
            expect(complete("zsh", `${init}; eval "$(<.script)"`)).toEqual(tidied(CASES));
        }, 90_000);

        it("zsh offers the same when the script is a file of $fpath", () => {
            fs.mkdirSync(path.join(folder(), ".functions"));
            fs.writeFileSync(path.join(folder(), ".functions/_stackrun"), script("zsh"));
            expect(complete("zsh", `fpath=($PWD/.functions $fpath); ${init}`)).toEqual(tidied(CASES));
        }, 90_000);

        it("bash offers the same", () => {
            fs.writeFileSync(path.join(folder(), ".script"), script("bash"));
            expect(complete("bash", 'eval "$(<.script)"')).toEqual(tidied(CASES));
        }, 90_000);
    });

    describeWithTool("fish", "fish", () => {
        it("offers what belongs there", () => {
            fs.writeFileSync(path.join(folder(), ".script.fish"), script("fish"));
            const each = 'source .script.fish; for line in $argv; echo "== $line"; complete -C "$line"; end';
            const output = inShell("fish", ["--no-config", "-c", each, ...LINES]);
            expect(offered(output)).toEqual(tidied(CASES));
        }, 90_000);
    });
});

const tidied = (cases: Readonly<Record<string, readonly string[]>>): Record<string, string[]> =>
    Object.fromEntries(Object.entries(cases).map(([line, words]) => [line, tidy(words)]));

/** Without what each shell says in its own way: descriptions, escapes, the sign of a folder, the option or folder before it. */
function tidy(matches: readonly string[]): string[] {
    const words = matches.map((match) =>
        match
            .replace(/\t.*/, "")
            .replaceAll("\\", "")
            .replace(/\/$/, "")
            .replace(/^(--[a-z]+=|.*\/)/, ""),
    );
    return [...new Set(words.filter(Boolean))].sort();
}
