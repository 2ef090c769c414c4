import type { CommandWords, Values } from "./words";

/** A completion for fish. */
export function fishScript(commands: readonly CommandWords[]): string {
    const lines = commands.flatMap(({ name, description, options, argument }) => {
        const here = `complete -c stackrun -n '__fish_seen_subcommand_from ${name}'`;
        return [
            `complete -c stackrun -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
            ...options.map(({ flags, description: text, value }) => {
                const names = flags.map((flag) =>
                    flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
                );
                const after = value === undefined ? "" : ` -x${values(value)}`;
                return `${here} ${names.join(" ")}${after} -d ${quote(text)}`;
            }),
            ...(argument === undefined ? [] : [`${here}${values(argument)}`]),
        ];
    });
    return `# fish completion for stackrun. In ~/.config/fish/config.fish: stackrun completion fish | source
function __stackrun_runs
    for run in .stackrun/runs/*/
        basename $run
    end
end
function __stackrun_steps
    for step in .stackrun/runs/*/steps/*/
        basename $step
    end | sort -u
end
function __stackrun_pipelines
    set -l typed (commandline -ct | string unescape)
    __fish_complete_directories $typed
    for file in $typed*.yaml $typed*.yml
        string match -q 'Pulumi.*' (basename $file); or echo $file
    end
end
complete -c stackrun -f
complete -c stackrun -n __fish_use_subcommand -l version -d 'output the version number'
complete -c stackrun -n __fish_use_subcommand -s h -l help -d 'display help for command'
${lines.join("\n")}
`;
}

function values(value: Values): string {
    if (typeof value !== "string") {
        return ` -a '${value.join(" ")}'`;
    }
    const lookUp = {
        runs: "__stackrun_runs",
        steps: "__stackrun_steps",
        pipelines: "__stackrun_pipelines",
        folders: "__fish_complete_directories",
    };
    return value === "anything" ? "" : ` -a '(${lookUp[value]})'`;
}

function quote(text: string): string {
    return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
