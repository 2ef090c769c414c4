import { runIdHandler } from "./resources/runId";
import { runHandler, type Observe } from "./resources/run";
import { attemptSpecHandler } from "./resources/attemptSpec";
import type * as chunks from "./resources/bundleChunks";
import type * as check from "./resources/gcpCheck";
import type * as made from "./resources/madeMachine";
import type * as stored from "./resources/storedBundle";
import type * as files from "./resources/storedFiles";
import type { ResourceHandler } from "./handler";
import {
    ATTEMPT_SPEC_TYPE,
    BUNDLE_CHUNKS_TYPE,
    GCP_CHECK_TYPE,
    MADE_MACHINE_TYPE,
    RUN_ID_TYPE,
    RUN_TYPE,
    STORED_BUNDLE_TYPE,
    STORED_FILES_TYPE,
} from "./tokens";
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
            [BUNDLE_CHUNKS_TYPE]: onFirstUse(() => {
                // eslint-disable-next-line @typescript-eslint/no-require-imports
                return (require("./resources/bundleChunks") as typeof chunks).bundleChunksHandler();
            }),
            [ATTEMPT_SPEC_TYPE]: attemptSpecHandler,
            [STORED_BUNDLE_TYPE]: onFirstUse(() => {
                // eslint-disable-next-line @typescript-eslint/no-require-imports
                return (require("./resources/storedBundle") as typeof stored).storedBundleHandler;
            }),
            [STORED_FILES_TYPE]: onFirstUse(() => {
                // eslint-disable-next-line @typescript-eslint/no-require-imports
                return (require("./resources/storedFiles") as typeof files).storedFilesHandler;
            }),
            [MADE_MACHINE_TYPE]: onFirstUse(() => {
                // eslint-disable-next-line @typescript-eslint/no-require-imports
                return (require("./resources/madeMachine") as typeof made).madeMachineHandler;
            }),
            [GCP_CHECK_TYPE]: onFirstUse(() => {
                // eslint-disable-next-line @typescript-eslint/no-require-imports
                return (require("./resources/gcpCheck") as typeof check).gcpCheckHandler;
            }),
        },
        engineAddress,
    });
}

// Every update waits for the plugin's start: what only one target needs is loaded when it is asked for.
function onFirstUse(load: () => ResourceHandler): ResourceHandler {
    let loaded: ResourceHandler | undefined;
    const handler = () => (loaded ??= load());
    return {
        check: (request) => handler().check(request),
        diff: (request) => handler().diff(request),
        create: (request) => handler().create(request),
        update: (request) => handler().update(request),
        read: (request) => handler().read(request),
        delete: (request) => handler().delete(request),
    };
}
