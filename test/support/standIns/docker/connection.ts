import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { ProviderError } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { followProgress } from "../../docker/progress";
import { text } from "../outputs";

export interface Credentials {
    readonly username: string;
    readonly password: string;
    readonly serveraddress: string;
}

/** The daemon that the provider is configured for. */
export class Connection {
    private client = new Docker();
    private registries: readonly Credentials[] = [];

    configure(config: Properties): void {
        const host = text(config.host) ?? process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
        this.client = new Docker({ ...endpoint(host), ...tls(config) });
        const registries = (config.registryAuth ?? []) as Record<string, string>[];
        this.registries = registries.map(({ address, username, password }) => ({
            serveraddress: hostOf(address as string),
            username: username ?? "",
            password: password ?? "",
        }));
    }

    get docker(): Docker {
        return this.client;
    }

    credentialsFor(image: string): Credentials | undefined {
        return this.registries.find(({ serveraddress }) => serveraddress === registryOf(image));
    }

    /** Credentials for a build's base images, as the header of the API wants them. */
    registryConfig(others: readonly (Credentials | undefined)[]): Record<string, object> {
        const all = [...this.registries, ...others.filter((one) => one !== undefined)];
        return Object.fromEntries(
            all.map(({ serveraddress, ...credentials }) => [serveraddress, credentials]),
        );
    }

    /** The image as the daemon knows it; pulled if it does not. */
    async findOrPull(image: string, platform?: string): Promise<Docker.ImageInspectInfo> {
        const known = await ifFound(this.client.getImage(image).inspect());
        if (known) {
            return known;
        }
        const authconfig = this.credentialsFor(image);
        const options = { ...(authconfig && { authconfig }), ...(platform && { platform }) };
        await followProgress(this.client, await this.client.pull(withTag(image), options));
        return this.client.getImage(image).inspect();
    }
}

/** `undefined` for what the daemon says is not there. */
export async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
        return await answer;
    } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) {
            return undefined;
        }
        throw error;
    }
}

/** `docker.io` for names without a registry. */
export function registryOf(image: string): string {
    const first = image.split("/")[0] as string;
    return image.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

/** A registry's address without scheme and path. */
export function hostOf(address: string): string {
    return address.replace(/^https?:\/\//, "").split("/")[0] as string;
}

// Without one, the API pulls every tag there is.
function withTag(image: string): string {
    return /:[^/]+$/.test(image) || image.includes("@") ? image : `${image}:latest`;
}

function endpoint(host: string): Docker.DockerOptions {
    if (host.startsWith("unix://")) {
        return { socketPath: host.slice("unix://".length) };
    }
    const url = /^(tcp|https?):\/\/([^:/]+)(?::(\d+))?$/.exec(host);
    if (!url) {
        throw new ProviderError(
            `the stand-in connects to unix://, tcp://, http:// and https:// only, not to ${host}`,
        );
    }
    return { host: url[2], port: Number(url[3] ?? 2375), protocol: url[1] === "https" ? "https" : "http" };
}

function tls(config: Properties): Docker.DockerOptions {
    const folder = text(config.certPath);
    const read = (name: string) => folder && fs.readFileSync(path.join(folder, name), "utf8");
    const ca = text(config.caMaterial) ?? read("ca.pem");
    const cert = text(config.certMaterial) ?? read("cert.pem");
    const key = text(config.keyMaterial) ?? read("key.pem");
    return ca || cert || key ? { ca, cert, key, protocol: "https" } : {};
}
