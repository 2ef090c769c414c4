import type { ProviderServer } from "./server";

const ORPHAN_CHECK_MS = 1000;

/** Prints the port of a plugin's process as its first line, and serves until the engine ends it. */
export async function serve(
    create: (engineAddress?: string) => ProviderServer,
    argv: readonly string[],
): Promise<void> {
    const provider = create(engineAddress(argv));
    const port = await provider.listen();
    const exit = () => {
        provider.close();
        process.exit(0);
    };
    process.on("SIGTERM", exit);
    // On a terminal, Ctrl-C reaches the plugin too. What it follows is cancelled, and has to be recorded before the end:
    // the engine, which waits for that, sends SIGINT once more.
    process.on("SIGINT", () => (provider.busy ? provider.cancel() : exit()));
    exitWithParent(exit);
    process.stdout.write(`${port}\n`);
}

// `pulumi` was killed: nobody listens any more. The run goes on, the next update finds it.
function exitWithParent(exit: () => void): void {
    const parent = process.ppid;
    setInterval(() => {
        if (process.ppid !== parent) {
            exit();
        }
    }, ORPHAN_CHECK_MS).unref();
}

// Flags such as `-v=9` and `--tracing URL` may stand before it.
function engineAddress(argv: readonly string[]): string | undefined {
    return argv.filter((argument, index) => !argument.startsWith("-") && argv[index - 1] !== "--tracing")[0];
}
