import * as pulumi from "@pulumi/pulumi";
import { RUN_ID_TYPE, RUN_TYPE } from "../provider/tokens";

/** A resource as the program declared it. */
export interface Declared {
    readonly type: string;
    readonly name: string;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    readonly inputs: Record<string, any>;
}

/** What a resource answers: its outputs beside its inputs. */
export type Outputs = (resource: Declared) => Record<string, unknown> | undefined;

/** How the program under test is run. */
export interface RecorderOptions {
    /** @default "project" */
    project?: string;
    /** @default "stack" */
    stack?: string;
    /**
     * As in `pulumi preview`: what a resource answers is not known.
     * @default false
     */
    preview?: boolean;
    /**
     * Outputs of resources; `undefined` for the default.
     * @default - runs have succeeded, other resources have their inputs as outputs
     */
    outputsOf?: Outputs;
}

/**
 * Records what a program declares, without an engine, a plugin or a run: for unit tests of programs that use
 * orchestrators. Install it before the program is loaded.
 *
 * @example
 * const recorder = await Recorder.install();
 * const { train } = await import("./index");
 * await recorder.settled();
 * recorder.one("stackrun:index:Run").inputs.params; // { horizon: 14 }
 */
export class Recorder {
    /** All resources, in the order in which they were declared. */
    readonly declared: Declared[] = [];
    /** May be changed at any time. */
    outputsOf: Outputs;

    private constructor({ outputsOf }: RecorderOptions) {
        this.outputsOf = outputsOf ?? (() => undefined);
    }

    /** Takes the engine's place in this process; the last one that was installed does. */
    static async install(options: RecorderOptions = {}): Promise<Recorder> {
        const recorder = new Recorder(options);
        const { project, stack, preview } = options;
        await pulumi.runtime.setMocks(
            recorder.mocks(),
            project ?? "project",
            stack ?? "stack",
            preview ?? false,
        );
        return recorder;
    }

    /** All registrations of the program so far have been answered. */
    async settled(): Promise<void> {
        // Internal to the SDK, and the only way to wait for resources that nobody reads an output of.
        await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
    }

    /** Forgets what was declared. */
    clear(): void {
        this.declared.length = 0;
    }

    /** The resources of a type, of a name if one is given. */
    all(type: string, name?: string): Declared[] {
        return this.declared.filter((one) => one.type === type && (name === undefined || one.name === name));
    }

    /**
     * The one resource of a type, of a name if one is given.
     * @throws Error that lists what was declared, if there is none or more than one.
     */
    one(type: string, name?: string): Declared {
        const found = this.all(type, name);
        if (found.length !== 1) {
            const wanted = name === undefined ? type : `${type} "${name}"`;
            const all = this.declared.map((one) => `${one.type} "${one.name}"`).join(", ") || "nothing";
            throw new Error(`${found.length} resources are ${wanted}; declared: ${all}`);
        }
        return found[0];
    }

    private mocks(): pulumi.runtime.Mocks {
        return {
            newResource: ({ type, name, inputs }) => {
                const resource: Declared = { type, name, inputs };
                this.declared.push(resource);
                const outputs = this.outputsOf(resource) ?? succeeded(resource);
                return { id: `${name}-id`, state: { ...inputs, ...outputs } };
            },
            call: ({ inputs }) => inputs as Record<string, unknown>,
        };
    }
}

// What a run of the pipeline answers when all is well: nothing was measured, nothing was made.
function succeeded({ type, name, inputs }: Declared): Record<string, unknown> {
    switch (type) {
        case RUN_ID_TYPE:
            return { runId: `${String(inputs.pipeline)}-run`, attempt: 1, nonce: "recorded" };
        case RUN_TYPE:
            return {
                status: "Succeeded",
                reason: "",
                message: "recorded",
                steps: [],
                interruptions: 0,
                logs: "",
                logUrl: `file:///recorded/${name}/log`,
                artifacts: {},
                metrics: {},
            };
        default:
            return {};
    }
}
