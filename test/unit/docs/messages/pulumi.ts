import { pipelineFile, withEngine } from "./command";
import type { Producers } from "./said";

/** What the command says when the engine says this, after it has looked for what helps. */
const engine = (text: string) => async (folder: string) => {
    pipelineFile(folder);
    const shown = await withEngine(`cat >&2 <<'END'\n${text}\nEND\nexit 255`, folder, "run");
    const [first, remedy] = shown.replace(/^stack dev: /, "").split("\n");
    return remedy ? first : `without a remedy: ${first}`;
};

/** What Pulumi's engine says, word for word. */
export const PULUMI: Producers = {
    "the stack is currently locked by 1 lock(s)": engine(
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
    ),
    "Another update is currently in progress": engine("error: Another update is currently in progress."),
    "incorrect passphrase": engine("error: incorrect passphrase"),
    "passphrase must be set with PULUMI_CONFIG_PASSPHRASE": engine(
        "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
    ),
    "failed to decrypt": engine("error: failed to decrypt encrypted configuration value"),
    "PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions": engine(
        "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
    ),
    Unauthorized: engine("error: Unauthorized: No credentials provided or are invalid."),
    "unable to open bucket": engine("error: unable to open bucket file:///x: no such file or directory"),
    "could not list bucket": engine("error: could not list bucket: permission denied"),
    "no such host": engine("error: no such host"),
    "no space left on device": engine("error: no space left on device"),
};
