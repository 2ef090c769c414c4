import { createProvider } from "./plugin";
import { serve } from "./serve";

/** The plugin's process: prints its port as its first line, and serves until the engine ends it. */
export function main(argv: readonly string[]): Promise<void> {
    return serve(createProvider, argv);
}
