import { runIdHandler } from "./resources/runId";
import { runHandler, type Observe } from "./resources/run";
import { attemptSpecHandler } from "./resources/attemptSpec";
import { bundleChunksHandler } from "./resources/bundleChunks";
import { ATTEMPT_SPEC_TYPE, BUNDLE_CHUNKS_TYPE, RUN_ID_TYPE, RUN_TYPE } from "./tokens";
import { schema } from "./schema";
import { ProviderServer } from "./server";
import { version } from "../version";

/** The provider `stackrun`: for the plugin's process, and for one in the same process as a test's or the CLI's engine client. */
export function createProvider(engineAddress?: string, observe?: Observe): ProviderServer {
    return new ProviderServer({
        version,
        schema: JSON.stringify(schema),
        handlers: {
            [RUN_ID_TYPE]: runIdHandler,
            [RUN_TYPE]: runHandler(observe),
            [BUNDLE_CHUNKS_TYPE]: bundleChunksHandler(),
            [ATTEMPT_SPEC_TYPE]: attemptSpecHandler,
        },
        engineAddress,
    });
}
