import type { CommandWords, Values } from "./words";

/** A completion for bash 3.2 (macOS) and newer. It looks up runs and files itself: no process is started. */
export function bashScript(commands: readonly CommandWords[]): string {
    return `# bash completion for stackrun. In ~/.bashrc: eval "$(stackrun completion bash)"
_stackrun_words() {
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}
_stackrun_runs() {
    local run
    for run in .stackrun/runs/*/; do
        run=\${run%/}
        run=\${run##*/}
        if [[ $run != '*' && $run == "$1"* ]]; then COMPREPLY+=("$run"); fi
    done
}
_stackrun_steps() {
    local step
    for step in .stackrun/runs/*/steps/*/; do
        step=\${step%/}
        step=\${step##*/}
        if [[ $step != '*' && $step == "$1"* && " \${COMPREPLY[*]-} " != *" $step "* ]]; then COMPREPLY+=("$step"); fi
    done
}
_stackrun_files() {
    local file typed=\${1//\\\\/}
    for file in "$typed"*; do
        if [[ -d $file || ($2 == pipelines && $file == *.y*ml && \${file##*/} != Pulumi.*) ]]; then
            COMPREPLY+=("$file")
        fi
    done
}
_stackrun() {
    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= i
    COMPREPLY=()
    # bash takes --option=value apart at the sign.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=\${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ \${COMP_WORDS[i]} != -* ]]; then
            command=\${COMP_WORDS[i]}
            break
        fi
    done
    case "$command $prev" in
${commands.flatMap(optionCases).join("\n")}
    esac
    if [[ -z $command ]]; then
        case $cur in
            -*) _stackrun_words "--help --version" "$cur" ;;
            *) _stackrun_words "${commands.map(({ name }) => name).join(" ")}" "$cur" ;;
        esac
        return
    fi
    if [[ $cur == -* ]]; then
        case $command in
${commands.map((one) => `            ${one.name}) _stackrun_words "${flagsOf(one)}" "$cur" ;;`).join("\n")}
        esac
        return
    fi
    case $command in
${commands.flatMap((one) => (one.argument ? [`        ${one.name}) ${complete(one.argument)} ;;`] : [])).join("\n")}
    esac
}
complete -o filenames -F _stackrun stackrun
`;
}

function optionCases({ name, options }: CommandWords): string[] {
    return options.flatMap(({ flags, value }) =>
        value === undefined
            ? []
            : [
                  `        ${flags.map((flag) => `"${name} ${flag}"`).join(" | ")})`,
                  ...(value === "anything" ? [] : [`            ${complete(value)}`]),
                  "            return",
                  "            ;;",
              ],
    );
}

function flagsOf({ options }: CommandWords): string {
    return options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith("--"))).join(" ");
}

function complete(values: Values): string {
    if (typeof values !== "string") {
        return `_stackrun_words "${values.join(" ")}" "$cur"`;
    }
    return values === "runs" || values === "steps"
        ? `_stackrun_${values} "$cur"`
        : `_stackrun_files "$cur" ${values}`;
}
