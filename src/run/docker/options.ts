/** What the Docker follower is told: where its daemon is, and how the code gets into the container. */
export interface DockerFollowerOptions {
    /**
     * `unix://…`, `tcp://…`, `http(s)://…` or `ssh://…`.
     * @default - DOCKER_HOST, or else Docker's own socket
     */
    readonly host?: string;
    /** A folder with ca.pem, cert.pem and key.pem. */
    readonly certPath?: string;
    readonly ca?: string;
    readonly cert?: string;
    /** A Pulumi secret. */
    readonly key?: string;
    /**
     * `mount`: the code folder is bind-mounted by the container's declaration.
     * @default "copy"
     */
    readonly code?: "copy" | "mount";
}
