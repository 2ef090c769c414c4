import * as fs from "node:fs";
import * as os from "node:os";
import Docker from "dockerode";
import { ProviderError } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";
import { clientOptions } from "../../../../src/run/docker/client";
import { followProgress } from "../../docker/progress";
import { text } from "../outputs";

export interface Credentials {
    readonly username: string;
    readonly password: string;
    readonly serveraddress: string;
}

/** Credentials, and where the registry itself is asked. */
export interface Login extends Credentials {
    readonly url: string;
}

/** The daemon that the provider is configured for. */
export class Connection {
    private client = new Docker();
    private logins: readonly Login[] = [];

    configure(config: Properties): void {
        const host = text(config.host) ?? process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
        const [ca, cert, key] = ["caMaterial", "certMaterial", "keyMaterial"].map((name) =>
            text(config[name]),
        );
        const env = { ...process.env };
        if (Array.isArray(config.sshOpts)) {
            env.DOCKER_SSH_OPTS = config.sshOpts.join(" ");
        }
        const options = { certPath: text(config.certPath), ca, cert, key };
        this.client = new Docker(clientOptions(host, options, env));
        this.logins = ((config.registryAuth ?? []) as unknown as RegistryAuth[]).map(loginOf);
    }

    get docker(): Docker {
        return this.client;
    }

    credentialsFor(image: string): Credentials | undefined {
        const login = this.loginFor(registryOf(image));
        return login && credentialsIn(login);
    }

    loginFor(registry: string): Login | undefined {
        return this.logins.find(({ serveraddress }) => serveraddress === registry);
    }

    /** Credentials for a build's base images, as the header of the API wants them. */
    registryConfig(others: readonly (Credentials | undefined)[]): Record<string, object> {
        const all = [...this.logins.map(credentialsIn), ...others.filter((one) => one !== undefined)];
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

interface RegistryAuth {
    readonly address: string;
    readonly username?: string;
    readonly password?: string;
    readonly configFile?: string;
    readonly configFileContent?: string;
}

function loginOf(auth: RegistryAuth): Login {
    const serveraddress = hostOf(auth.address);
    const url = `${/^http:/.test(auth.address) ? "http" : "https"}://${serveraddress}`;
    const file = auth.configFile?.replace(/^~(?=\/)/, os.homedir());
    const content = auth.configFileContent ?? (file && fs.readFileSync(file, "utf8"));
    if (content === undefined) {
        return { serveraddress, url, username: auth.username ?? "", password: auth.password ?? "" };
    }
    const { auths = {} } = JSON.parse(content) as { auths?: Record<string, { auth?: string }> };
    const found = Object.entries(auths).find(([address]) => hostOf(address) === serveraddress)?.[1].auth;
    if (!found) {
        throw new ProviderError(`couldn't find registry config for '${serveraddress}' in file content`);
    }
    const [username = "", ...password] = Buffer.from(found, "base64").toString("utf8").split(":");
    return { serveraddress, url, username, password: password.join(":") };
}

function credentialsIn({ username, password, serveraddress }: Login): Credentials {
    return { username, password, serveraddress };
}

// Without one, the API pulls every tag there is.
function withTag(image: string): string {
    return /:[^/]+$/.test(image) || image.includes("@") ? image : `${image}:latest`;
}
