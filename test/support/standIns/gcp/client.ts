import { ProviderError } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { text } from "../outputs";

/** An API, by the name that its endpoint has in the provider's configuration. */
export type Api = "compute" | "iam" | "resourceManager" | "secretManager" | "storage" | "artifactRegistry";

const DEFAULTS: Readonly<Record<Api, string>> = {
    compute: "https://compute.googleapis.com/compute/v1/",
    iam: "https://iam.googleapis.com/v1/",
    resourceManager: "https://cloudresourcemanager.googleapis.com/v1/",
    secretManager: "https://secretmanager.googleapis.com/v1/",
    storage: "https://storage.googleapis.com/storage/v1/",
    artifactRegistry: "https://artifactregistry.googleapis.com/v1/",
};
const RETRIED = new Set([429, 500, 502, 503]);
const FIRST_PAUSE_MS = 100;
const TRIES = 7;

/** What an API has answered instead of a result. */
export class GoogleError extends Error {
    constructor(
        readonly code: number,
        readonly reason: string,
        message: string,
    ) {
        super(`googleapi: Error ${code}: ${message}, ${reason}`);
    }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

/** Google's APIs as the provider is configured for them. */
export class GcpClient {
    private config: Properties = {};

    configure(config: Properties): void {
        this.config = config;
    }

    /** The project of a resource: its own, or the provider's. */
    project(inputs: Properties): string {
        return this.needed("project", inputs, [
            "GOOGLE_PROJECT",
            "GOOGLE_CLOUD_PROJECT",
            "CLOUDSDK_CORE_PROJECT",
        ]);
    }

    zone(inputs: Properties): string {
        return this.needed("zone", inputs, ["GOOGLE_ZONE", "CLOUDSDK_COMPUTE_ZONE"]);
    }

    region(inputs: Properties): string {
        return this.needed("region", inputs, ["GOOGLE_REGION", "CLOUDSDK_COMPUTE_REGION"]);
    }

    /** A resource's labels, and those that the provider gives to all. */
    labels(own: Properties = {}): Record<string, string> {
        const attribution =
            this.config.addPulumiAttributionLabel === false ? {} : { "goog-pulumi-provisioned": "true" };
        return { ...attribution, ...(this.config.defaultLabels as Properties), ...own } as Record<
            string,
            string
        >;
    }

    get(api: Api, path: string): Promise<Json> {
        return this.request("GET", api, path);
    }

    post(api: Api, path: string, body: object = {}): Promise<Json> {
        return this.request("POST", api, path, body);
    }

    /** `undefined` for what the API says is not there. */
    async find(api: Api, path: string): Promise<Json | undefined> {
        return ifFound(this.get(api, path));
    }

    /** Tries again what may be over soon, as the provider does. */
    async request(method: string, api: Api, path: string, body?: object): Promise<Json> {
        for (let tries = 1, pause = FIRST_PAUSE_MS; ; tries++, pause *= 2) {
            try {
                return await this.once(method, api, path, body);
            } catch (error) {
                const passing =
                    error instanceof GoogleError ? RETRIED.has(error.code) : error instanceof TypeError;
                if (!passing || tries === TRIES) {
                    throw error instanceof TypeError
                        ? new Error(`${method} ${path}: ${String(error.cause ?? error)}`)
                        : error;
                }
            }
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    }

    /** Does what starts an operation of Compute Engine, and waits for its end. `doing`: as in "Error waiting for ...". */
    async operate(method: string, path: string, doing: string, body?: object): Promise<void> {
        let operation = await this.request(method, "compute", path, body);
        const own = `projects/${String(operation.selfLink).split("/projects/")[1]}`;
        for (let pause = 50; operation.status !== "DONE"; pause = Math.min(pause * 2, 1000)) {
            await new Promise((resolve) => setTimeout(resolve, pause));
            operation = await this.get("compute", own);
        }
        const [error] = (operation.error?.errors ?? []) as { code: string; message: string }[];
        if (error) {
            throw new Error(`Error waiting for ${doing}: ${error.message} (${error.code})`);
        }
    }

    private async once(method: string, api: Api, path: string, body?: object): Promise<Json> {
        const endpoint = text(this.config[`${api}CustomEndpoint`]) ?? DEFAULTS[api];
        const response = await fetch(endpoint + path, {
            method,
            headers: { authorization: `Bearer ${this.token()}`, "content-type": "application/json" },
            ...(body && { body: JSON.stringify(body) }),
            signal: AbortSignal.timeout(120_000),
        });
        const answer = await response.text();
        const json = (answer ? JSON.parse(answer) : {}) as Json;
        if (!response.ok) {
            const { message = answer, errors } = json.error ?? {};
            throw new GoogleError(response.status, errors?.[0]?.reason ?? "unknown", message as string);
        }
        return json;
    }

    private token(): string {
        const token = text(this.config.accessToken) ?? process.env.GOOGLE_OAUTH_ACCESS_TOKEN;
        if (!token) {
            throw new ProviderError(
                "Attempted to load application default credentials since neither `credentials` nor `access_token` was set in the provider block. No credentials loaded.",
            );
        }
        return token;
    }

    private needed(name: string, inputs: Properties, variables: readonly string[]): string {
        const fromEnvironment = variables.map((variable) => process.env[variable]).find(Boolean);
        const value = text(inputs[name]) ?? text(this.config[name]) ?? fromEnvironment;
        if (!value) {
            throw new ProviderError(`${name}: required field is not set`);
        }
        return value.slice(value.lastIndexOf("/") + 1);
    }
}

/** `undefined` for what the API says is not there. */
export async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
        return await answer;
    } catch (error) {
        if (error instanceof GoogleError && error.code === 404) {
            return undefined;
        }
        throw error;
    }
}

/** Its errors as the provider's: `Error creating instance: googleapi: Error 409: ...`. */
export async function doing<T>(what: string, work: Promise<T>): Promise<T> {
    try {
        return await work;
    } catch (error) {
        throw new ProviderError(
            `1 error occurred:\n\t* ${error instanceof GoogleError ? `Error ${what}: ` : ""}${(error as Error).message}`,
        );
    }
}
