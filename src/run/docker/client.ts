import * as fs from "node:fs";
import * as path from "node:path";
import type Docker from "dockerode";
import type { DockerOptions } from "dockerode";
import { loadPeer } from "../peer";
import type { DockerFollowerOptions } from "./options";

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** A daemon, and what people call it. */
export interface Daemon {
    readonly docker: Docker;
    /** `unix:///var/run/docker.sock` */
    readonly address: string;
}

/** Nothing is contacted yet. */
export async function connect(options: DockerFollowerOptions, env = process.env): Promise<Daemon> {
    const address = options.host || env.DOCKER_HOST || `unix://${DEFAULT_SOCKET}`;
    const { default: Client } = await loadPeer(
        "dockerode",
        async () => (await import("dockerode")) as unknown as { default: typeof Docker },
        "the docker follower",
    );
    return { docker: new Client(clientOptions(address, options, env)), address };
}

/** @throws Error if the address can't be one of a daemon. */
export function clientOptions(
    address: string,
    options: DockerFollowerOptions,
    env: NodeJS.ProcessEnv,
): DockerOptions {
    if (address.startsWith("unix://")) {
        return { socketPath: address.slice("unix://".length) || DEFAULT_SOCKET };
    }
    if (!URL.canParse(address) || !/^(tcp|https?|ssh):$/.test(new URL(address).protocol)) {
        throw new Error(
            `the Docker host ${JSON.stringify(address)} is no address of a daemon; allowed: unix://…, tcp://…, http://…, https://…, ssh://…`,
        );
    }
    const { protocol, hostname, port, username } = new URL(address);
    if (protocol === "ssh:") {
        const sshOptions = { agentForward: false, agent: env.SSH_AUTH_SOCK };
        return {
            protocol: "ssh",
            host: hostname,
            port: port || 22,
            username: decodeURIComponent(username),
            sshOptions,
        };
    }
    const tls = certificates(options, env);
    const secure = protocol === "https:" || tls !== undefined;
    return {
        protocol: secure ? "https" : "http",
        host: hostname.replace(/^\[|\]$/g, ""),
        port: port || (secure ? 2376 : 2375),
        ...tls,
    };
}

function certificates(
    { certPath, ca, cert, key }: DockerFollowerOptions,
    env: NodeJS.ProcessEnv,
): Pick<DockerOptions, "ca" | "cert" | "key"> | undefined {
    if (ca || cert || key) {
        return { ca, cert, key };
    }
    const folder = certPath || (env.DOCKER_TLS_VERIFY ? env.DOCKER_CERT_PATH : undefined);
    if (!folder) {
        return undefined;
    }
    const read = (name: string) => fs.readFileSync(path.join(folder, name), "utf8");
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}
