import type { Command } from "commander";
import { nearest } from "../../pipeline/words";
import { CommandError, EXIT } from "../exit";
import type { Terminal } from "../terminal";
import { bashScript } from "./bash";
import { fishScript } from "./fish";
import { SHELLS, wordsOf, type CommandWords, type Shell } from "./words";
import { zshScript } from "./zsh";

const SCRIPTS: Readonly<Record<Shell, (commands: readonly CommandWords[]) => string>> = {
    bash: bashScript,
    zsh: zshScript,
    fish: fishScript,
};

/** `stackrun completion`: prints a script that completes the command in a shell. */
export function completion(shell: string, program: Command, terminal: Terminal): void {
    const known = SHELLS.find((name) => name === shell);
    if (known === undefined) {
        const near = nearest(shell, SHELLS);
        throw new CommandError(
            `there is no completion for ${JSON.stringify(shell)}; allowed: ${SHELLS.join(", ")}${near ? `; did you mean ${near}?` : ""}`,
            EXIT.badInput,
        );
    }
    terminal.line(SCRIPTS[known](wordsOf(program)).trimEnd());
}
