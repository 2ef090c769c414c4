import { read } from "./pages";

/** What a reader's shell has anyway. */
const SHELL = ["cd", "mkdir", "git", "eval", "export", "cp", "cat", "source"];
/** The subcommands and options of `pulumi` that the documentation may speak of. */
const PULUMI: Readonly<Record<string, readonly string[]>> = {
    up: ["--yes", "--skip-preview", "--stack"],
    preview: ["--diff", "--stack"],
    refresh: ["--yes", "--stack"],
    destroy: ["--yes", "--stack"],
    cancel: ["--yes", "--stack"],
    login: [],
    new: ["--force", "--yes"],
    "stack init": [],
    "stack select": ["--create"],
    "stack output": ["--json", "--show-secrets"],
    "stack rm": ["--yes"],
    "stack ls": [],
    "config set": ["--path", "--secret"],
};

/** The commands of a block, each as its words: without comments, prompts and what is only filled in. */
export function commandsOf(block: string): string[][] {
    return block
        .replace(/\\\n\s*/g, " ")
        .split("\n")
        .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
        .flatMap((line) => [...[...line.matchAll(/\$\(([^)]*)\)/g)].map(([, inner]) => inner), line])
        .flatMap((line) =>
            line.replace(/"[^"]*"|'[^']*'/g, (text) => text.replace(/[&|;]/g, "")).split(/&&|\|\||[|;]/),
        )
        .map((line) => line.trim().replace(/^(\w+=\S*\s+)+/, ""))
        .filter((line) => line !== "")
        .map((line) => line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []);
}

/** What is wrong with a command: undefined if there is such a one. */
export function faultOf(
    [program, ...words]: readonly string[],
    helpOf: (command: string) => string,
): string | undefined {
    switch (program) {
        case "npx":
            return words[0] === "stackrun" ? stackrunFault(words.slice(1), helpOf) : `npx ${words[0]}`;
        case "stackrun":
            return stackrunFault(words, helpOf);
        case "npm":
            return npmFault(words, helpOf);
        case "pulumi":
            return pulumiFault(words);
        default:
            return SHELL.includes(program) ? undefined : `no such command: ${program}`;
    }
}

function stackrunFault(
    [command, ...words]: readonly string[],
    helpOf: (command: string) => string,
): string | undefined {
    const help = helpOf(command);
    if (command.startsWith("-")) {
        return undefined;
    }
    if (!help.includes(`Usage: stackrun ${command}`)) {
        return `no such command: stackrun ${command}`;
    }
    return unknownOption(words, (option) => new RegExp(`(^|[\\s,])${option}(?![\\w-])`, "m").test(help));
}

function npmFault(
    [command, ...words]: readonly string[],
    helpOf: (command: string) => string,
): string | undefined {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    switch (command) {
        case "ci":
        case "install":
        case "i":
        case "init":
            return undefined;
        case "start":
            return words[0] === "--" ? stackrunFault(["run", ...words.slice(1)], helpOf) : undefined;
        case "run":
            return words[0] in scripts ? undefined : `no such script: npm run ${words[0]}`;
        default:
            return command in scripts ? undefined : `no such command: npm ${command}`;
    }
}

function pulumiFault(words: readonly string[]): string | undefined {
    const two = words.slice(0, 2).join(" ");
    const known = two in PULUMI ? two : words[0];
    return known in PULUMI
        ? unknownOption(words.slice(1), (option) => PULUMI[known].includes(option))
        : `no such command: pulumi ${known}`;
}

function unknownOption(words: readonly string[], isKnown: (option: string) => boolean): string | undefined {
    const options = words.filter((word) => /^--?[a-zA-Z]/.test(word)).map((word) => word.replace(/=.*/, ""));
    const unknown = options.find((option) => !isKnown(option));
    return unknown === undefined ? undefined : `no such option: ${unknown}`;
}
