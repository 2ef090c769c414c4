import { ProviderError } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { strictFailures } from "../strict";
import { ifFound, registryOf, type Connection } from "./connection";
import { dockerTypes } from "./types";

/** What a program may ask for beside resources. */
export function functionsOf(connection: Connection) {
    return {
        "docker:index/getRemoteImage:getRemoteImage": (args: Properties) =>
            remoteImage(connection, nameIn("GetRemoteImageArgs", args)),
        "docker:index/getRegistryImage:getRegistryImage": (args: Properties) =>
            registryImage(connection, nameIn("GetRegistryImageArgs", args)),
    };
}

async function remoteImage(connection: Connection, name: string): Promise<object> {
    const found = await ifFound(connection.docker.getImage(name).inspect());
    if (!found) {
        throw new ProviderError(`did not find docker image '${name}'`);
    }
    return { id: found.Id, name, repoDigest: found.RepoDigests?.[0] ?? found.Id };
}

// The registry itself is asked, not the daemon: over TLS, unless its address was given with `http://`.
async function registryImage(connection: Connection, name: string): Promise<object> {
    const registry = registryOf(name);
    const { url, username, password } = connection.loginFor(registry) ?? { url: `https://${registry}` };
    const [, repository, tag = "latest"] = /^[^/]+\/([^:@]+)(?::(.+))?$/.exec(name) ?? [];
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
        method: "HEAD",
        headers: {
            accept: "application/vnd.docker.distribution.manifest.v2+json",
            ...(username && { authorization }),
        },
    }).catch((error: Error) => failed(`Error during registry request: ${error.message}`));
    const digest = answer.headers.get("docker-content-digest");
    if (answer.status === 401) {
        return failed(`Bad credentials: ${answer.status} ${answer.statusText}`);
    }
    if (!answer.ok || !digest) {
        return failed(`Got bad response from registry: ${answer.status} ${answer.statusText}`);
    }
    return { id: digest, name, sha256Digest: digest };

    function failed(why: string): never {
        throw new ProviderError(
            `Got error when attempting to fetch image version ${repository}:${tag} from registry: ${why}`,
        );
    }
}

function nameIn(type: string, args: Properties): string {
    const [failure] = strictFailures(dockerTypes, type, args);
    if (failure) {
        throw new ProviderError(`${failure.property} ${failure.reason}`);
    }
    if (args.insecureSkipVerify) {
        throw new ProviderError("insecureSkipVerify is not known to the stand-in");
    }
    return String(args.name);
}
