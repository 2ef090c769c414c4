import type { CommandWords, OptionWords, Values } from "./words";

/** A completion for zsh: to be evaluated after compinit, or kept as `_stackrun` in a folder of $fpath. */
export function zshScript(commands: readonly CommandWords[]): string {
    return `#compdef stackrun
# zsh completion for stackrun. In ~/.zshrc, after compinit: eval "$(stackrun completion zsh)"
_stackrun_runs() {
    local -a runs
    runs=(.stackrun/runs/*(N/:t))
    compadd -a runs
}
_stackrun_steps() {
    local -aU steps
    steps=(.stackrun/runs/*/steps/*(N/:t))
    compadd -a steps
}
_stackrun() {
    local -a commands options
    options=('--help:display help for command' '--version:output the version number')
    commands=(
${commands.map(({ name, description }) => `        ${quote(`${name}:${description}`)}`).join("\n")}
    )
    if ((CURRENT == 2)); then
        if [[ $PREFIX == -* ]]; then
            _describe -o option options
        else
            _describe command commands
        fi
        return
    fi
    local command=\${words[2]}
    shift words
    ((CURRENT--))
    case $command in
${commands.map(commandCase).join("\n")}
    esac
}
if [[ \${funcstack[1]-} == _stackrun ]]; then
    _stackrun "$@"
else
    compdef _stackrun stackrun
fi
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
    const specs = [
        ...options.map(optionSpec),
        ...(argument === undefined ? [] : [quote(`1: :${action(argument)}`)]),
    ];
    return `        ${name})\n            _arguments ${specs.join(" \\\n                ")}\n            ;;`;
}

function optionSpec({ flags, description, value }: OptionWords): string {
    const text = description.replaceAll(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:");
    const rest = `[${text}]${value === undefined ? "" : `: :${action(value)}`}`;
    // The sign: the value may stand behind "=", too.
    const equals = (flag: string) => (value !== undefined && flag.startsWith("--") ? "=" : "");
    return flags.map((flag) => quote(`*${flag}${equals(flag)}${rest}`)).join(" ");
}

function action(values: Values): string {
    if (typeof values !== "string") {
        return `(${values.join(" ")})`;
    }
    return {
        runs: "_stackrun_runs",
        steps: "_stackrun_steps",
        pipelines: '_files -g "*.(yaml|yml)~Pulumi.*~*/Pulumi.*"',
        folders: "_files -/",
        anything: " ",
    }[values];
}

function quote(text: string): string {
    return `'${text.replaceAll("'", `'\\''`)}'`;
}
