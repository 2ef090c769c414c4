import type * as http from "node:http";
import type Docker from "dockerode";
import type { DockerOptions } from "dockerode";
import { loadPeer } from "../peer";
import { addressFault, withoutPassword } from "./address";
import type { DockerFollowerOptions } from "./options";
import { sshAgent, type SshTarget } from "./ssh";
import { certificates } from "./tls";

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** A daemon, and what people call it. */
export interface Daemon {
    readonly docker: Docker;
    /** `unix:///var/run/docker.sock` */
    readonly address: string;
}

/** The client takes an agent; its types do not know that. */
type ClientOptions = DockerOptions & { readonly agent?: http.Agent };

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

/**
 * What the client is made with. All that it would else take from the environment is set: a socket that was named is not
 * to give way to a DOCKER_HOST.
 * @throws Error if the address can't be one of a daemon, or a certificate can't be read.
 */
export function clientOptions(
    address: string,
    options: DockerFollowerOptions,
    env: NodeJS.ProcessEnv,
): ClientOptions {
    const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
    if (address.startsWith("unix://")) {
        return {
            ...none,
            protocol: "http",
            socketPath: address.slice("unix://".length) || DEFAULT_SOCKET,
        };
    }
    const url = daemonUrl(address);
    const { protocol, hostname, port } = url;
    if (protocol === "ssh:") {
        return { ...none, protocol: "http", host: "docker", agent: sshAgent(sshTarget(url, env)) };
    }
    const tls = certificates(options, env);
    const secure = protocol === "https:" || tls !== undefined;
    return {
        ...none,
        protocol: secure ? "https" : "http",
        host: withoutBrackets(hostname),
        port: port || (secure ? 2376 : 2375),
        ...tls,
    };
}

function daemonUrl(address: string): URL {
    const fault = addressFault(address);
    if (fault) {
        throw new Error(fault);
    }
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !isDaemon(url)) {
        throw new Error(
            `the Docker host ${JSON.stringify(withoutPassword(address))} is no address of a daemon; allowed: unix://…, tcp://…, http://…, https://…, ssh://…`,
        );
    }
    return url;
}

// The path of a socket stands in quotes in a command.
function isDaemon({ protocol, hostname, pathname }: URL): boolean {
    return (
        /^(tcp|https?|ssh):$/.test(protocol) && hostname !== "" && !/['\0]/.test(decodeURIComponent(pathname))
    );
}

/** What `ssh` is run for. Its parts may be escaped, as in any URL. */
export function sshTarget({ hostname, port, username, pathname }: URL, env: NodeJS.ProcessEnv): SshTarget {
    return {
        host: withoutBrackets(hostname),
        port,
        user: decodeURIComponent(username),
        socket: decodeURIComponent(pathname).replace(/^\/$/, ""),
        options: env.DOCKER_SSH_OPTS?.split(/\s+/).filter(Boolean),
    };
}

function withoutBrackets(hostname: string): string {
    return hostname.replace(/^\[|\]$/g, "");
}
