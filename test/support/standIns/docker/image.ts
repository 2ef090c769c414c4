import { ProviderError, type CheckFailure, type ResourceHandler } from "../../../../src/provider/handler";
import type { ResourceLog } from "../../../../src/provider/engineLog";
import { deepEqual, hasUnknown, type Decoded, type Properties } from "../../../../src/provider/values";
import { followProgress } from "../../docker/progress";
import { changedProperties, outputsOf, previewOutputs, text } from "../outputs";
import { digestOf, packContext, readContext } from "./buildContext";
import { hostOf, registryOf, type Connection, type Credentials } from "./connection";
import { secretOf } from "../../wire";

interface Build {
    readonly context?: string;
    readonly dockerfile?: string;
    readonly args?: Record<string, string>;
    readonly target?: string;
    readonly platform?: string;
    readonly builderVersion?: string;
    readonly cacheFrom?: { images?: string[] };
    readonly addHosts?: string[];
    readonly network?: string;
}

const COMPUTED = ["baseImageName", "context", "dockerfile", "registryServer", "repoDigest"];
const LAST_LINES = 20;

/**
 * `docker:index/image:Image`: builds with the daemon's classic builder, and pushes. It is built again when its inputs change,
 * among them a digest of the context; a password that changes is no reason. Nothing is deleted with it: neither the tag of the
 * daemon nor the one of the registry, as with the real plugin.
 */
export function imageHandler(connection: Connection): ResourceHandler {
    return {
        check: ({ inputs }) => check(inputs.value),
        diff: ({ oldInputs, inputs }) =>
            Promise.resolve({ changes: changedProperties(withoutLogin(oldInputs), withoutLogin(inputs)) }),
        async create({ inputs, preview, log }) {
            if (preview && (inputs.value.buildOnPreview !== true || hasUnknown(inputs.value))) {
                return { id: "", outputs: previewOutputs(inputs, COMPUTED) };
            }
            return {
                id: text(inputs.value.imageName) as string,
                outputs: await build(connection, inputs, log, preview),
            };
        },
        async update({ inputs, preview, log }) {
            if (preview) {
                return { outputs: previewOutputs(inputs, COMPUTED) };
            }
            return { outputs: await build(connection, inputs, log, false) };
        },
        read: ({ inputs, outputs }) => Promise.resolve({ outputs: outputsOf(inputs, computedOf(outputs)) }),
        delete: () => Promise.resolve(),
    };
}

/** What the plugin adds to `build`: the platform, and the digest that makes a changed context a changed input. */
export function completeBuild({ value, secrets }: Decoded): Properties | undefined {
    const build = (value.build ?? {}) as Build;
    if (hasUnknown([build.context, build.dockerfile] as never)) {
        return undefined;
    }
    const contextDigest = digestOf(readContext(build.context, build.dockerfile));
    const platform = build.platform ?? `linux/${process.arch === "x64" ? "amd64" : process.arch}`;
    const complete = { ...build, contextDigest, platform } as unknown as Properties;
    return {
        build: [...secrets].some((path) => /^build([.[]|$)/.test(path)) ? secretOf(complete) : complete,
    };
}

function check({ imageName, skipPush, build, buildOnPreview }: Properties): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const version = ((build ?? {}) as Build).builderVersion;
    if (version && !["BuilderV1", "BuilderBuildKit"].includes(version)) {
        failures.push({ property: "build.builderVersion", reason: "invalid Docker Builder version" });
    }
    if (!skipPush && typeof imageName === "string" && !hasUnknown(imageName) && !isQualified(imageName)) {
        const reason = "has to be fully qualified, with the registry, to be pushed";
        failures.push({ property: "imageName", reason });
    }
    if (buildOnPreview && typeof buildOnPreview !== "boolean") {
        failures.push({ property: "buildOnPreview", reason: "has to be a boolean" });
    }
    return failures;
}

function isQualified(name: string): boolean {
    return /^(localhost|[^/]*[.:][^/]*)\//.test(name);
}

async function build(
    connection: Connection,
    inputs: Decoded,
    log: ResourceLog,
    preview: boolean,
): Promise<object> {
    const { value } = inputs;
    const name = text(value.imageName) as string;
    const credentials = credentialsOf(connection, value);
    log.status("Building the image");
    const context = await buildWithDaemon(connection, name, (value.build ?? {}) as Build, credentials, log);
    const computed = {
        baseImageName: name,
        context: ((value.build ?? {}) as Build).context ?? ".",
        dockerfile: context.dockerfile,
        registryServer: text((value.registry as Properties | undefined)?.server) ?? "",
    };
    if (value.skipPush || preview) {
        const { Id: id } = await connection.docker.getImage(name).inspect();
        return outputsOf(inputs, { ...computed, repoDigest: id });
    }
    log.status("Pushing Image to the registry");
    return outputsOf(inputs, { ...computed, repoDigest: await push(connection, name, credentials, log) });
}

async function buildWithDaemon(
    connection: Connection,
    name: string,
    build: Build,
    credentials: Credentials | undefined,
    log: ResourceLog,
): Promise<{ dockerfile: string }> {
    const context = readContext(build.context, build.dockerfile);
    const { tar, dockerfile } = packContext(context);
    const last: string[] = [];
    try {
        const stream = await connection.docker.buildImage(
            tar,
            given({
                t: name,
                dockerfile,
                buildargs: build.args,
                target: build.target,
                platform: build.platform,
                networkmode: build.network,
                extrahosts: build.addHosts?.join(","),
                cachefrom: build.cacheFrom?.images && JSON.stringify(build.cacheFrom.images),
                registryconfig: connection.registryConfig([credentials]) as never,
                rm: true,
                forcerm: true,
            }),
        );
        await followProgress(connection.docker, stream, ({ stream: text }) => {
            for (const line of (text ?? "").split("\n").filter((line) => line.trim() !== "")) {
                log.info(line);
                last.push(line);
            }
        });
    } catch (error) {
        await log.flush();
        const lines = last.slice(-LAST_LINES).join("\n");
        throw new ProviderError([(error as Error).message, lines].filter(Boolean).join("\n"));
    }
    return { dockerfile: context.dockerfile };
}

/** Resolves to `repository@sha256:...`, as the registry says. */
async function push(
    connection: Connection,
    name: string,
    credentials: Credentials | undefined,
    log: ResourceLog,
): Promise<string> {
    let digest: string | undefined;
    // The daemon wants the header even where there is nothing to say in it.
    const stream = await connection.docker.getImage(name).push({ authconfig: credentials ?? {} });
    try {
        await followProgress(connection.docker, stream, ({ status, aux }) => {
            digest = aux?.Digest ?? digest;
            if (status) {
                log.status(status);
            }
        });
    } catch (error) {
        throw new ProviderError(`${name} can't be pushed: ${(error as Error).message}`);
    }
    return `${name.replace(/:[^:/]+$/, "")}@${digest}`;
}

function credentialsOf(connection: Connection, { imageName, registry }: Properties): Credentials | undefined {
    const { server, username, password } = (registry ?? {}) as Record<string, string>;
    if (!username || !password) {
        return connection.credentialsFor(String(imageName));
    }
    return { username, password, serveraddress: server ? hostOf(server) : registryOf(String(imageName)) };
}

function withoutLogin(inputs: Properties): Properties {
    const { registry, ...others } = inputs;
    const server = (registry as Properties | undefined)?.server;
    return deepEqual(server, undefined) ? others : { ...others, registry: { server: server ?? null } };
}

function computedOf(outputs: Properties): Properties {
    return Object.fromEntries(
        COMPUTED.flatMap((name) => (outputs[name] === undefined ? [] : [[name, outputs[name]]])),
    );
}

// The client sends an empty string for what is undefined, which is another thing to the daemon.
function given<T extends object>(options: T): T {
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
