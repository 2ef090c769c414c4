import * as pulumi from "@pulumi/pulumi";

/** A resource as the program declared it. */
export interface Declared {
    readonly type: string;
    readonly name: string;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    readonly inputs: Record<string, any>;
}

/** Records what a program declares; resources get the outputs that `outputsOf` says. */
export class Recorder {
    readonly declared: Declared[] = [];
    outputsOf: (resource: Declared) => Record<string, unknown> = () => ({});

    async install(preview = false): Promise<void> {
        // Where the SDK logs to when there is no engine.
        jest.spyOn(console, "log").mockImplementation(() => undefined);
        const newResource = ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
            const resource = { type, name, inputs };
            this.declared.push(resource);
            return { id: `${name}-id`, state: { ...inputs, ...this.outputsOf(resource) } };
        };
        await pulumi.runtime.setMocks(
            { newResource, call: ({ inputs }) => inputs },
            "project",
            "dev",
            preview,
        );
    }

    clear(): void {
        this.declared.length = 0;
        this.outputsOf = () => ({});
    }

    one(type: string): Declared {
        const found = this.declared.filter((resource) => resource.type === type);
        if (found.length !== 1) {
            throw new Error(
                `${found.length} resources of type ${type}; declared: ${this.declared.map((one) => one.type).join(", ")}`,
            );
        }
        return found[0];
    }
}

/** All registrations of the program so far have been answered. */
export async function settled(): Promise<void> {
    // Internal to the SDK, and the only way to wait for resources that nobody reads an output of.
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
}

/** An output's value; fails if it doesn't come, as that of an unknown output never does. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("the output has no value")), 5000);
        output.apply((value) => {
            clearTimeout(timer);
            resolve(value as T);
        });
    });
}
