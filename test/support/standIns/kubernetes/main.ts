import { KubernetesPlugin } from "./plugin";
import { serve } from "./server";

/** The plugin's process: prints its port as its first line, and serves until the engine ends it. */
export async function main(argv: readonly string[]): Promise<void> {
    const engine = argv.filter(
        (argument, index) => !argument.startsWith("-") && argv[index - 1] !== "--tracing",
    );
    const { port, close, busy } = await serve(new KubernetesPlugin(), engine[0]);
    const exit = () => {
        close();
        process.exit(0);
    };
    process.on("SIGTERM", exit);
    // On a terminal, Ctrl-C reaches the plugin too; the engine says what is to become of it. It ends a plugin that has nothing
    // to do by this signal, and waits five seconds for that.
    process.on("SIGINT", () => (busy() ? undefined : exit()));
    const parent = process.ppid;
    setInterval(() => (process.ppid === parent ? undefined : exit()), 1000).unref();
    process.stdout.write(`${port}\n`);
}
