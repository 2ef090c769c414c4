import { createProvider } from "../provider/plugin";

/** A stackrun plugin that runs in this process. */
export interface Plugin {
    readonly port: number;
    /** What `pulumi` (or the Automation API's workspace) needs in its environment to use this plugin instead of its own. */
    readonly env: { readonly PULUMI_DEBUG_PROVIDERS: string };
    /** Ends it; runs that it started go on, as they do when a plugin ends. */
    stop(): void;
}

/**
 * Starts the stackrun plugin in this process, for tests with a real engine: the engine connects to it instead of
 * starting one, which saves its start at each update, and lets a debugger and mocks reach followers. One plugin serves
 * any number of updates, one after the other; after a cancelled update, start a new one.
 *
 * @example
 * const plugin = await startPlugin();
 * const stack = await LocalWorkspace.createOrSelectStack(args, { envVars: { ...plugin.env } });
 * await stack.up();
 * plugin.stop();
 */
export async function startPlugin(): Promise<Plugin> {
    const provider = createProvider();
    const port = await provider.listen();
    return {
        port,
        env: { PULUMI_DEBUG_PROVIDERS: `stackrun:${port}` },
        stop: () => provider.close(),
    };
}
