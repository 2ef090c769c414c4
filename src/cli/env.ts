import * as path from "node:path";
import { shQuote } from "../runner/quote";
import { backendEnv, findEngine } from "./backend";
import type { Terminal } from "./terminal";
import { STATE_DIR } from "./folder";

/** `stackrun env`: shell commands that let plain `pulumi` use the same engine, backend and passphrase. */
export async function printEnv(terminal: Terminal): Promise<void> {
    const engine = await findEngine((line) => terminal.error(line));
    const variables = await backendEnv(path.resolve(STATE_DIR));
    const folders = new Set([
        path.dirname(engine.pulumi),
        ...(engine.languageHost ? [path.dirname(engine.languageHost)] : []),
    ]);
    terminal.line(`export PATH=${[...folders].map(shQuote).join(":")}:"$PATH"`);
    for (const [name, value] of Object.entries(variables)) {
        terminal.line(`export ${name}=${shQuote(value)}`);
    }
}
